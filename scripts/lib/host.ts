/**
 * The process that holds workerd: reads its orders from the parent over IPC, reports when it serves,
 * and ends with its parent, so that nothing is left behind. Runs the same Miniflare that wrangler runs.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { unstable_getMiniflareWorkerOptions } from 'wrangler'
import type { WorkerModule } from './bundle.ts'

/** What the parent sends once, after the process has started. */
export interface HostOrders {
  configPath: string
  modules: WorkerModule[]
  stateDirectory: string
  port: number
  vars: Record<string, string>
  inspectorPort?: number
}

export type HostReport = { ready: true; inspectorUrl?: string } | { ready: false; error: string }

const requireFromWrangler = createRequire(createRequire(import.meta.url).resolve('wrangler'))
const { Miniflare, convertV4MiniflareOptions } = requireFromWrangler(
  'miniflare',
) as typeof import('miniflare')

process.once('message', (orders: HostOrders) => {
  serve(orders).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      process.send?.({ ready: false, error: error instanceof Error ? error.message : `${error}` })
      process.exitCode = 1
      process.disconnect?.()
    },
  )
})

async function serve(orders: HostOrders): Promise<HostReport> {
  const { workerOptions } = unstable_getMiniflareWorkerOptions(orders.configPath)
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      host: 'localhost',
      port: orders.port,
      inspectorPort: orders.inspectorPort,
      resourcePersistencePath: orders.stateDirectory,
      resourceTmpPath: join(orders.stateDirectory, 'tmp'),
      cf: false,
      telemetry: { enabled: false },
      workers: [
        {
          ...workerOptions,
          name: 'airbyte',
          bindings: Object.assign({}, workerOptions.bindings, orders.vars),
          modules: orders.modules,
        },
      ],
    }),
  )
  const end = () => void runtime.dispose().finally(() => process.exit())
  process.once('disconnect', end)
  process.once('SIGTERM', end)
  await runtime.ready
  const inspectorUrl =
    orders.inspectorPort === undefined
      ? undefined
      : new URL('/core:user:airbyte', await runtime.getInspectorURL()).href
  return { ready: true, inspectorUrl }
}
