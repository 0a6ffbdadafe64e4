import type { Receipt, SyncRecord, SyncSummary } from '../durable-object/rpc.ts'
import { AirbyteError, toAirbyteError } from '../protocol/index.ts'
import type { OperationContext } from './define.ts'
import { syncDetailView, syncView } from './views.ts'

const POLL_MS = 1000
const START_ATTEMPTS = 20
const START_RETRY_MS = 100

export const isFinal = ({ status }: SyncSummary) => status !== 'pending' && status !== 'running'

/** The sync from its object; once that has gone, from the index and the receipt. */
export async function readSync(
  ctx: OperationContext,
  syncId: number,
  connectionId: string,
): Promise<SyncRecord | SyncSummary> {
  try {
    return await ctx.objects.sync(syncId).get()
  } catch (error) {
    if (toAirbyteError(error).code !== 'NOT_FOUND') throw error
    const cursor = String(syncId + 1)
    const { items } = await ctx.tenant.syncs({ connectionId, limit: 1, cursor })
    const [summary] = items
    if (summary?.syncId !== syncId) throw error
    return summary
  }
}

/** Follows a sync until it ends or the seconds are over, with progress on the way. */
export async function followSync(
  ctx: OperationContext,
  syncId: number,
  connectionId: string,
  waitSeconds: number,
): Promise<SyncRecord | SyncSummary> {
  const until = Date.now() + waitSeconds * 1000
  for (;;) {
    const sync = await readSync(ctx, syncId, connectionId)
    ctx.progress(progressOf(sync))
    if (isFinal(sync) || Date.now() + POLL_MS > until || ctx.signal.aborted) return sync
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

function progressOf(sync: SyncRecord | SyncSummary) {
  const streams = 'streams' in sync ? sync.streams : []
  const estimates = streams.map(({ estimatedRows }) => estimatedRows)
  const total = estimates.every((rows) => rows !== undefined)
    ? estimates.reduce<number>((sum, rows) => sum + (rows ?? 0), 0)
    : undefined
  const progress = streams.reduce((sum, { rowsLoaded }) => sum + rowsLoaded, 0) || sync.rows
  return {
    progress,
    ...(total && { total: Math.max(total, progress) }),
    message: [`${sync.status}: ${progress} rows`, ...reasonsOf(sync)].join('; '),
  }
}

/** Why a sync stands still, one line for what all streams have in common. */
const reasonsOf = ({ waiting = [] }: SyncSummary) => [
  ...new Set(waiting.map(({ reason }) => reason)),
]

export function syncOf(sync: SyncRecord | SyncSummary) {
  const view = 'streams' in sync ? syncDetailView(sync) : syncView(sync)
  return { ...view, finished: isFinal(sync), now: new Date().toISOString() }
}

/** Starts a sync, or for a model returns the one that already runs. */
export async function startSync(
  ctx: OperationContext,
  connectionId: string,
  options: { streams?: { name: string; namespace?: string }[]; acceptEmpty?: boolean },
): Promise<{ summary: SyncSummary; alreadyRunning: boolean }> {
  const connection = ctx.objects.connection(connectionId)
  for (let attempt = 0; ; attempt++) {
    try {
      const summary = await connection.startSync({ ...options, trigger: 'manual' })
      return { summary, alreadyRunning: false }
    } catch (error) {
      const known = toAirbyteError(error)
      if (known.code !== 'SYNC_RUNNING' || ctx.face !== 'mcp') throw known
      const [summary] = await connection.syncs({ limit: 1 })
      if (summary && !isFinal(summary)) return { summary, alreadyRunning: true }
      // Either its object has not heard of it yet, or it has just ended and a new one may start.
      if (attempt === START_ATTEMPTS) throw known
      await new Promise((resolve) => setTimeout(resolve, START_RETRY_MS))
    }
  }
}

/** Without the list of chunks, which grows with the sync. */
export function shortReceipt(receipt: Receipt) {
  const streams = receipt.streams.map(({ chunks, ...stream }) => ({
    ...stream,
    chunkCount: chunks.length,
  }))
  return { ...receipt, streams }
}

/** @throws NOT_FOUND while the sync still runs */
export async function receiptOf(ctx: OperationContext, syncId: number, connectionId: string) {
  const receipt = await ctx.objects.connection(connectionId).receipt(syncId)
  if (receipt) return receipt
  throw new AirbyteError('NOT_FOUND', `Sync ${syncId} has no receipt yet: it has not ended.`, {
    hint: 'Wait until the sync has ended, then ask again.',
  })
}
