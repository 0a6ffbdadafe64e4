import { addHashes, emptyRowHash, formatRowHash } from '../core/row-hash.ts'
import type { StreamOutcome, SyncOutcome } from '../core/sync-engine/types.ts'
import { stableJson } from '../protocol/index.ts'
import type { LogReport, Receipt, StreamReceipt, SyncStatus, Warning } from './rpc.ts'
import type { StreamPlanRow, StreamRow, SyncRow } from './sync-rows.ts'
import type { SyncStore } from './sync-store.ts'

const NO_ROWS = formatRowHash(emptyRowHash())

/** The proof of an ended sync, and what its connection keeps. */
export function outcomeOf(store: SyncStore, sync: SyncRow): SyncOutcome {
  const warnings = [...store.warnings(), ...logWarnings(sync.log)]
  const receipts: StreamReceipt[] = []
  const outcomes: StreamOutcome[] = []
  for (const row of store.streams()) {
    const stream = { ...row, ...store.planOf(row.key) }
    const receipt = streamReceipt(store, stream)
    receipts.push(receipt)
    warnings.push(...streamWarnings(store, stream, receipt))
    outcomes.push(outcome(stream, receipt))
  }
  const receipt: Receipt = {
    version: 1,
    syncId: sync.input.syncId,
    connectionId: sync.input.connectionId,
    status: sync.status,
    startedAt: new Date(sync.startedAt).toISOString(),
    endedAt: new Date(sync.endedAt ?? sync.updatedAt).toISOString(),
    warnings,
    streams: receipts,
    ...(sync.log && { log: sync.log }),
  }
  return { receipt, streams: outcomes }
}

/** A stream with what it was to do. */
type PlannedRow = StreamRow & StreamPlanRow

function streamReceipt(store: SyncStore, stream: PlannedRow): StreamReceipt {
  const { planned, input } = stream
  const chunks = store.chunks(stream.key, 'loaded')
  const staged = planned?.transfer === 'staged' ? store.chunks(stream.key) : []
  const sum = (pick: (chunk: (typeof chunks)[number]) => number) =>
    chunks.reduce((total, chunk) => total + pick(chunk), 0)
  const target = planned?.plan.target
  const rowHash = chunks.reduce((total, chunk) => addHashes(total, chunk.rowHash), NO_ROWS)
  return {
    stream: stream.key,
    target: target ? [target.namespace, target.table].filter(Boolean).join('.') : '',
    status: stream.status,
    mode: { sync: input.config.syncMode, destination: input.config.destinationSyncMode },
    ...(input.range && { range: input.range }),
    ...(input.replay && { replay: input.replay }),
    transfer: planned?.transfer ?? 'direct',
    format: planned?.plan.format ?? 'records',
    generationId: input.generationId,
    rowsRead: stream.rowsRead,
    rowsStaged: staged.reduce((total, chunk) => total + chunk.rows, 0),
    rowsLoaded: stream.rowsLoaded,
    rowsRejected: stream.rejected,
    bytes: stream.bytes,
    nulled: sum((chunk) => chunk.nulled),
    truncated: sum((chunk) => chunk.truncated ?? 0),
    rowsFiltered: sum((chunk) => chunk.filtered ?? 0),
    stateBefore: input.state,
    stateAfter: stream.loadedState,
    rowHash,
    ...(planned?.plan.children && {
      children: planned.plan.children.map(({ table }, i) => ({
        table,
        rows: sum((chunk) => chunk.childRows?.[i] ?? 0),
      })),
    }),
    generation: {
      rows: input.generationRows + stream.rowsLoaded,
      rowHash: addHashes(input.generationHash, rowHash),
    },
    chunks: chunks.map(({ id, rows, bytes, sha256 }) => ({ id, rows, bytes, sha256 })),
    ...(stream.error ? { error: stream.error } : {}),
  }
}

function streamWarnings(
  store: SyncStore,
  { input, status }: PlannedRow,
  receipt: StreamReceipt,
): Warning[] {
  const { stream, rowsRejected, nulled, truncated = 0, rowsLoaded } = receipt
  const unknown = new Set(store.chunks(stream).flatMap((chunk) => chunk.unknownFields ?? []))
  const ended = status === 'succeeded'
  const replaces = receipt.mode.destination.startsWith('overwrite')
  const rows = input.generationRows + rowsLoaded
  const isQuiet = input.quietAfter !== null && Date.now() > input.quietAfter
  const checks: [boolean, Warning['code'], string][] = [
    [
      rowsRejected > 0,
      'REJECTS',
      `${rowsRejected} rows of ${stream} were rejected and kept aside.`,
    ],
    [
      nulled > 0,
      'VALUES_NULLED',
      `${nulled} values of ${stream} did not fit and became null; see _airbyte_meta.`,
    ],
    [
      truncated > 0,
      'VALUES_TRUNCATED',
      `${truncated} values of ${stream} were rounded or cut to what fits; see _airbyte_meta.`,
    ],
    [
      unknown.size > 0,
      'UNKNOWN_FIELDS',
      `${stream} has fields that its schema does not know, left out: ${[...unknown].join(', ')}.`,
    ],
    [
      ended && replaces && rows > 0 && rows * FEWER_FACTOR < input.previousRows,
      'FEWER_ROWS',
      `${stream} has ${rows} rows now; the full refresh before had ${input.previousRows}.`,
    ],
    [
      input.range !== undefined && receipt.mode.destination === 'append' && rowsLoaded > 0,
      'BACKFILL_APPENDED',
      `${rowsLoaded} rows of ${stream} were appended; those that the table had stand there twice now.`,
    ],
    [
      ended && !replaces && rowsLoaded === 0 && isQuiet,
      'QUIET_STREAM',
      `${stream} has had no new rows for much longer than ever before.`,
    ],
  ]
  return checks.flatMap(([applies, code, message]) => (applies ? [{ code, stream, message }] : []))
}

/** So much log kept for us is worth a word: it fills the disk of the database. */
const MUCH_LOG_BYTES = 10 * 1024 ** 3

function logWarnings(log: LogReport | undefined): Warning[] {
  if (!log) return []
  const { name, retainedBytes, safeBytes } = log
  const tight = safeBytes !== undefined && safeBytes < retainedBytes
  if (retainedBytes < MUCH_LOG_BYTES && !tight) return []
  const left = safeBytes === undefined ? '' : `; after ${mib(safeBytes)} more it is lost`
  const message = `The database keeps ${mib(retainedBytes)} of log for '${name}'${left}. Sync more often.`
  return [{ code: 'LOG_RETAINED', message }]
}

const mib = (bytes: number) => `${Math.round(bytes / 1024 ** 2)} MiB`

/** A full refresh with less than this part of the rows it had is worth a word. */
const FEWER_FACTOR = 10

function outcome(stream: PlannedRow, receipt: StreamReceipt): StreamOutcome {
  const { input, planned } = stream
  const succeeded = stream.status === 'succeeded'
  const startsOver = input.config.syncMode === 'full_refresh'
  return {
    key: stream.key,
    status: stream.status,
    // A full refresh that succeeded starts from nothing next time.
    state: succeeded && startsOver ? null : stream.loadedState,
    lastChunk: stream.lastChunk,
    generationId: input.generationId,
    generationComplete: succeeded,
    rowsInGeneration: input.generationRows + stream.rowsLoaded,
    rowHashInGeneration: addHashes(input.generationHash, receipt.rowHash),
    ...columnsNow(stream),
    settled: succeeded ? (planned?.fingerprint ?? null) : null,
  }
}

/** Nothing where they are as they were: the columns of thousands of streams are a lot. */
function columnsNow({ planned, input }: PlannedRow): Pick<StreamOutcome, 'columns' | 'basis'> {
  const columns = planned?.mapping?.columns ?? planned?.flattened ?? planned?.plan.columns
  const basis = planned?.basis
  return {
    ...(columns && stableJson(columns) !== stableJson(input.knownColumns) && { columns }),
    ...(basis && stableJson(basis) !== stableJson(input.basis) && { basis }),
  }
}

/** The sync's status follows from its streams'. */
export function overallStatus(streams: StreamRow[], cancelled: boolean): SyncStatus {
  const all = (status: SyncStatus) => streams.every((stream) => stream.status === status)
  if (all('succeeded')) return 'succeeded'
  if (cancelled) return 'cancelled'
  const some = streams.some((stream) => stream.status === 'succeeded' || stream.rowsLoaded > 0)
  return some || streams.some((stream) => stream.status === 'incomplete') ? 'incomplete' : 'failed'
}
