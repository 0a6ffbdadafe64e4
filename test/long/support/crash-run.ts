import { setTimeout as sleep } from 'node:timers/promises'
import { createDatabaseActor } from '../../../scripts/lib/database-actor.ts'
import { connectMcp } from '../../../scripts/lib/mcp-client.ts'
import { type ToolCall, toolsOf } from '../../../scripts/lib/tool-call.ts'
import { type RunningServer, startServer } from '../../support/dev-server.ts'

export interface Pipeline {
  source: string
  destination: Destination
  transfer: 'auto' | 'direct' | 'staged'
}

export type Destination = { type: 'postgres'; url: string } | { type: 'r2' }

export interface CrashRun {
  stateDirectory: string
  /** Makes the connection, by the name of `crash`. */
  create(call: ToolCall): Promise<unknown>
  /**
   * When the runtime dies: at a gap, the `hit`-th time it is passed, some milliseconds after the
   * start, or when this has resolved.
   */
  kill: { point: string; hit: number } | { afterMs: number } | { when(): Promise<void> }
  /** What comes after the sync that was killed has ended; `sync` runs another one to its end. */
  after?(sync: () => Promise<IndexedSync>): Promise<void>
}

export interface CrashOutcome {
  /** False: the sync ended before the moment came. */
  killed: boolean
  status: string
  error?: unknown
}

/** Leases this short, so that a lost task is taken up again within seconds. */
export const LEASE_MS = '3000'
const GIVE_UP_MS = 180_000

/**
 * Starts a sync, kills the runtime by SIGKILL at the given moment, starts it again and waits until
 * the workspace's index says that the sync has ended. Nothing but the restart helps the sync on.
 */
export async function runAndCrash(run: CrashRun): Promise<CrashOutcome> {
  const { kill, stateDirectory } = run
  const fault = 'point' in kill ? `${kill.point}@${kill.hit}` : undefined
  const moment = Promise.withResolvers<true>()
  const server = await startServer({
    stateDirectory,
    vars: { LEASE_MS, ...(fault && { FAULT_POINT: fault }) },
    onLog: (line) => {
      if (line.includes('fault point reached')) moment.resolve(true)
    },
  })
  let again: RunningServer | undefined
  try {
    const first = await session(server)
    await run.create(first.call)
    await first.call('run_sync', { connection: 'crash' })
    if ('afterMs' in kill) setTimeout(() => moment.resolve(true), kill.afterMs)
    if ('when' in kill) kill.when().then(() => moment.resolve(true), moment.reject)
    const ended = new AbortController()
    const early = untilEnded(first.call, ended.signal)
    const killed = await Promise.race([moment.promise, early.then(() => false)])
    ended.abort()
    await early.catch(() => {})
    if (!killed) return { killed, ...(await latest(first.call)) }
    await server.kill9()

    again = await startServer({ stateDirectory, vars: { LEASE_MS } })
    const second = await session(again)
    await untilEnded(second.call)
    const outcome = { killed, ...(await latest(second.call)) }
    await run.after?.(async () => {
      await second.call('run_sync', { connection: 'crash' })
      await untilEnded(second.call)
      return latest(second.call)
    })
    return outcome
  } finally {
    await server.stop()
    await again?.stop()
  }
}

export async function session(server: RunningServer) {
  const client = await connectMcp(server.url, 'crash matrix')
  return { call: toolsOf(client) }
}

export async function createPipeline(call: ToolCall, { source, destination, transfer }: Pipeline) {
  await createDatabaseActor(call, 'source', 'source', source)
  await createDestination(call, destination)
  await call('create_connection', {
    name: 'crash',
    source: 'source',
    destination: 'destination',
    streams: [{ name: 'events', syncMode: 'full_refresh', destinationSyncMode: 'overwrite' }],
    transfer,
  })
}

export async function createDestination(call: ToolCall, destination: Destination): Promise<void> {
  const { type } = destination
  if (type === 'postgres')
    await createDatabaseActor(call, 'destination', 'destination', destination.url)
  else await call('create_destination', { name: 'destination', type: 'r2', config: {} })
}

interface IndexedSync {
  status: string
}

/** Reads the index only: asking the sync's own object would wake it up. */
export async function latest(call: ToolCall): Promise<IndexedSync> {
  const rows = { kind: 'connection', limit: 1 }
  const { items } = await call<{ items: { lastSync?: IndexedSync }[] }>('list_resources', rows)
  return { status: items[0]?.lastSync?.status ?? 'missing' }
}

export async function untilEnded(call: ToolCall, signal?: AbortSignal): Promise<void> {
  const until = Date.now() + GIVE_UP_MS
  while (!signal?.aborted) {
    const { status } = await latest(call)
    if (status !== 'pending' && status !== 'running') return
    if (Date.now() > until) throw new Error(`The sync is still ${status} after ${GIVE_UP_MS} ms.`)
    await sleep(250)
  }
}
