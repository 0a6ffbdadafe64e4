import { setTimeout as sleep } from 'node:timers/promises'
import type { Receipt, StreamReceipt } from '../../src/durable-object/rpc.ts'
import { detail, progressBar, say, table } from './terminal.ts'
import type { ToolCall } from './tool-call.ts'

interface SyncView {
  syncId: number
  status: string
  finished: boolean
  error?: { message: string; hint: string }
}

/** A receipt as its tool shows it: chunks are counted, not listed. */
export type ShownReceipt = Omit<Receipt, 'streams'> & {
  streams: (Omit<StreamReceipt, 'chunks'> & { chunkCount: number })[]
}

/** Starts a sync, draws its progress until it ends, and fetches its receipt. Throws unless it succeeds. */
export async function followSync(call: ToolCall, connection: string): Promise<ShownReceipt> {
  const options = { onprogress: draw }
  let sync = await call<SyncView>('run_sync', { connection, waitSeconds: 40 }, options)
  while (!sync.finished) {
    sync = await call<SyncView>('get_sync', { sync: sync.syncId, waitSeconds: 40 }, options)
  }
  if (sync.status !== 'succeeded') {
    const reason = sync.error ? `${sync.error.message} ${sync.error.hint}` : ''
    throw new Error(`Sync ${sync.syncId} ${sync.status}. ${reason}`)
  }
  return receiptOf(call, sync.syncId)
}

const PATIENCE_MS = 30_000

/** A sync has ended a moment before its receipt is written. */
async function receiptOf(call: ToolCall, sync: number): Promise<ShownReceipt> {
  for (const until = Date.now() + PATIENCE_MS; ; await sleep(100)) {
    try {
      return (await call<{ receipt: ShownReceipt }>('get_sync', { sync, receipt: true })).receipt
    } catch (error) {
      if (Date.now() > until || !String(error).includes('NOT_FOUND')) throw error
    }
  }
}

interface Update {
  progress: number
  total?: number
  message?: string
}

function draw({ progress, total, message }: Update): void {
  progressBar(progress, total, message ?? '')
}

export function printReceipt(receipt: ShownReceipt): void {
  const took = (Date.parse(receipt.endedAt) - Date.parse(receipt.startedAt)) / 1000
  say(`receipt of sync ${receipt.syncId}: ${receipt.status} in ${took.toFixed(1)} s`)
  const rows = receipt.streams.map((stream) => ({
    stream: stream.stream,
    read: stream.rowsRead,
    loaded: stream.rowsLoaded,
    rejected: stream.rowsRejected,
    transfer: `${stream.transfer} ${stream.format}`,
    chunks: stream.chunkCount,
    'row hash': stream.rowHash,
  }))
  for (const line of table(rows)) detail(line)
  for (const { message } of receipt.warnings) detail(`warning: ${message}`)
}
