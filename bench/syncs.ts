import { connectMcp } from '../scripts/lib/mcp-client.ts'
import { enterCredentials } from '../scripts/lib/setup-form.ts'
import { followSync, type ShownReceipt } from '../scripts/lib/sync-report.ts'
import { type ToolCall, toolsOf } from '../scripts/lib/tool-call.ts'
import { median } from './process-stats.ts'

/** A signed-in caller that makes what the bench needs. */
export interface Workbench {
  postgres(kind: 'source' | 'destination', name: string, url: string): Promise<void>
  parquet(name: string): Promise<void>
  /** A source from a manifest of one's own. */
  declarative(name: string, manifest: string, config: object): Promise<void>
  connect(name: string, source: string, destination: string, options?: object): Promise<void>
  sync(name: string): Promise<ShownReceipt>
  /** Median milliseconds of a tool call that reads, one after the other. */
  toolCallMedian(calls: number): Promise<number>
  close(): Promise<void>
}

export async function openWorkbench(serverUrl: string): Promise<Workbench> {
  const client = await connectMcp(serverUrl, 'bench')
  const call = toolsOf(client)
  return {
    postgres: (kind, name, url) => createPostgres(call, kind, name, new URL(url)),
    parquet: async (name) => {
      await call('create_destination', { name, type: 'r2', config: {} })
    },
    declarative: async (name, manifest, config) => {
      await call('import_connector', { name, manifest, license: 'own' })
      await call('create_source', { name, type: name, config })
    },
    connect: async (name, source, destination, options = {}) => {
      const streams = [
        { name: 'orders', syncMode: 'full_refresh', destinationSyncMode: 'overwrite' },
      ]
      await call('create_connection', { name, source, destination, streams, ...options })
    },
    sync: (name) => followSync(call, name),
    toolCallMedian: async (calls) => {
      const times: number[] = []
      for (let i = 0; i < calls; i++) {
        const started = performance.now()
        await call('get_workspace', {})
        times.push(performance.now() - started)
      }
      return median(times)
    },
    close: () => client.close(),
  }
}

async function createPostgres(call: ToolCall, kind: string, name: string, url: URL) {
  const config = {
    host: url.hostname,
    port: Number(url.port),
    database: url.pathname.slice(1),
    username: url.username,
    ssl_mode: { mode: 'disable' },
  }
  const { setupUrl } = await call<{ setupUrl: string }>(`create_${kind}`, {
    name,
    type: 'postgres',
    config,
  })
  await enterCredentials(setupUrl, { password: url.password })
}
