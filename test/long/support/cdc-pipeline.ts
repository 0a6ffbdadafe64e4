import { setTimeout as sleep } from 'node:timers/promises'
import { connectMcp } from '../../../scripts/lib/mcp-client.ts'
import { enterCredentials } from '../../../scripts/lib/setup-form.ts'
import { type ToolCall, toolsOf } from '../../../scripts/lib/tool-call.ts'

/** A server gone for a while is tried again for some minutes. */
const GIVE_UP_MS = 240_000

export interface SyncView {
  syncId: number
  status: string
  finished: boolean
  rows: number
  streams: { stream: string; status: string; rowsLoaded: number; error?: Problem }[]
}

interface Problem {
  code: string
  message: string
  hint: string
  field?: string
}

/** What an operator does with connections that follow a log, by the tools of the server. */
export async function openDesk(serverUrl: string) {
  const client = await connectMcp(serverUrl, 'operator')
  const call = toolsOf(client)
  const get = (sync: number, waitSeconds = 20) => call<SyncView>('get_sync', { sync, waitSeconds })

  const desk = {
    call,
    /** A source, a destination and a connection, all by this name. */
    async connect(name: string, ends: { source: End; destination: End }, more: object) {
      await create(call, 'source', name, ends.source)
      await create(call, 'destination', name, ends.destination)
      await call('create_connection', { name, source: name, destination: name, ...more })
    },
    async start(connection: string): Promise<number> {
      return (await call<SyncView>('run_sync', { connection })).syncId
    },
    /** Waits for the middle of its first stream. */
    async inTheMiddle(sync: number, rows: number): Promise<void> {
      await until('some rows are loaded', async () => {
        const { finished, streams } = await get(sync, 0)
        const loaded = streams[0]?.rowsLoaded ?? 0
        if (finished || loaded >= rows) throw new Error('it was over before its middle was seen')
        return loaded > 0
      })
    },
    async ended(sync: number): Promise<SyncView> {
      for (const until = Date.now() + GIVE_UP_MS; ; ) {
        const seen = await get(sync)
        if (seen.finished) return seen
        if (Date.now() > until) throw new Error(`not over: ${JSON.stringify(seen)}`)
      }
    },
    async sync(connection: string): Promise<SyncView> {
      return desk.ended(await desk.start(connection))
    },
    diagnose: (connection: string) =>
      call<{ findings: Finding[] }>('diagnose_sync', { connection }),
    close: () => client.close(),
  }
  return desk
}

export type Desk = Awaited<ReturnType<typeof openDesk>>

export interface Finding {
  cause: string
  what: string
  next: string
  call: { tool: string; arguments: Record<string, unknown> }
}

export interface End {
  type: 'postgres' | 'mysql'
  url: string
  config?: object
}

async function create(call: ToolCall, kind: string, name: string, end: End): Promise<void> {
  const { hostname: host, port, pathname, username, password } = new URL(end.url)
  const { setupUrl } = await call<{ setupUrl: string }>(`create_${kind}`, {
    ...{ name, type: end.type },
    config: {
      ...{ host, port: Number(port), database: pathname.slice(1), username },
      ssl_mode: { mode: end.type === 'postgres' ? 'disable' : 'disabled' },
      ...end.config,
    },
  })
  await enterCredentials(setupUrl, { password })
}

/** Asks until it is so. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + GIVE_UP_MS; !(await isSo()); await sleep(100)) {
    if (Date.now() > end) throw new Error(`${what}: not after ${GIVE_UP_MS} ms`)
  }
}
