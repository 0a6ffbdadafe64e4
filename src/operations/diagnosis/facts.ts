/** What is known of a sync that a diagnosis goes by, gathered from wherever it lies. */
import type {
  LogLine,
  Receipt,
  SyncRecord,
  SyncSummary,
  Warning,
} from '../../durable-object/rpc.ts'
import { ERROR_CODES } from '../../protocol/error-codes.ts'
import {
  AirbyteError,
  type ErrorCode,
  type ErrorRecord,
  toAirbyteError,
} from '../../protocol/index.ts'
import { type ActorKind, checkActor } from '../actors.ts'
import type { OperationContext } from '../define.ts'
import { isFinal, readSync } from '../syncs.ts'

/** One end of the connection. */
export interface End {
  kind: ActorKind
  id: string
  name: string
  /** What it answers now; absent where nothing depended on it. */
  check?: { ok: boolean; problem?: ErrorRecord }
}

/** One thing that went wrong, and the streams that share it. */
export interface Failure {
  error: ErrorRecord
  streams: string[]
}

export interface Facts {
  connection: { id: string; name: string }
  source: End
  destination: End
  /** Absent: the connection has never synced. */
  sync?: { syncId: number; status: SyncSummary['status']; rows: number; finished: boolean }
  failures: Failure[]
  waiting: { streams: string[]; until: number; reason: string; code?: ErrorCode }[]
  warnings: Warning[]
  /** Of streams that ended well and read nothing. */
  empty: { stream: string; syncMode: 'full_refresh' | 'incremental' }[]
  /** Warnings and errors of the log, newest last. */
  log: LogLine[]
}

const LOG_LINES = 500
const SHOWN_LINES = 10

/** Either end may be the cause of these; asking both tells which. */
const OF_EITHER_END: ReadonlySet<ErrorCode> = new Set([
  ...(['AUTH_FAILED', 'REAUTHORIZE', 'AWAITING_CREDENTIALS', 'PERMISSION_DENIED'] as const),
  ...(['HOST_UNREACHABLE', 'TIMEOUT', 'CONNECTION_LOST', 'TLS_FAILED', 'EGRESS_REFUSED'] as const),
  ...(['UPSTREAM_ERROR', 'REQUEST_REFUSED', 'SOURCE_MISCONFIGURED', 'VALIDATION_FAILED'] as const),
])

/** @param syncId the latest, if none is asked for */
export async function gatherFacts(
  ctx: OperationContext,
  connectionId: string,
  syncId: number | undefined,
): Promise<Facts> {
  const record = await ctx.objects.connection(connectionId).get()
  const number = syncId ?? (await ctx.tenant.syncs({ connectionId, limit: 1 })).items[0]?.syncId
  const [source, destination] = await Promise.all([
    ctx.objects.source(record.sourceId).get(),
    ctx.objects.destination(record.destinationId).get(),
  ])
  const sync = number === undefined ? undefined : await readSync(ctx, number, connectionId)
  const receipt = number === undefined ? null : await receiptOf(ctx, connectionId, number)
  const log = number === undefined ? [] : await logOf(ctx, number)
  const retries = sync && !isFinal(sync) ? retriedIn(log) : []
  const failures = [...failuresOf(sync, receipt, record.pausedReason), ...retries]
  const facts: Facts = {
    connection: { id: record.id, name: record.name },
    source: { kind: 'source', id: source.id, name: source.name },
    destination: { kind: 'destination', id: destination.id, name: destination.name },
    ...(sync && {
      sync: { syncId: sync.syncId, status: sync.status, rows: sync.rows, finished: isFinal(sync) },
    }),
    failures,
    waiting: waitingOf(sync),
    warnings: receipt?.warnings ?? [],
    empty: (receipt?.streams ?? []).flatMap(({ stream, status, rowsRead, mode }) =>
      status === 'succeeded' && rowsRead === 0 ? [{ stream, syncMode: mode.sync }] : [],
    ),
    log,
  }
  if (failures.some(({ error }) => OF_EITHER_END.has(error.code))) await askEnds(ctx, facts)
  return facts
}

/** The same failure of many streams is one; what only the sync as a whole says comes last. */
function failuresOf(
  sync: SyncRecord | SyncSummary | undefined,
  receipt: Receipt | null,
  pausedReason: ErrorRecord | undefined,
): Failure[] {
  const streams = sync && 'streams' in sync ? sync.streams : (receipt?.streams ?? [])
  const found = new Map<string, Failure>()
  const add = (error: ErrorRecord, stream?: string) => {
    const same = found.get(error.code) ?? { error, streams: [] }
    if (stream !== undefined) same.streams.push(stream)
    found.set(error.code, same)
  }
  for (const { error, stream } of streams) if (error) add(error, stream)
  for (const error of [sync?.error, pausedReason]) {
    if (error && !found.has(error.code)) add(error)
  }
  return [...found.values()]
}

/** What a sync that still runs keeps trying, from the newest line that says so. */
function retriedIn(log: LogLine[]): Failure[] {
  const line = log.findLast(({ level, message }) => level === 'error' && CODED.test(message))
  const [, code = '', message = ''] = CODED.exec(line?.message ?? '') ?? []
  if (!Object.hasOwn(ERROR_CODES, code)) return []
  const error = new AirbyteError(code as ErrorCode, message).toJSON()
  return [{ error, streams: line?.stream === undefined ? [] : [line.stream] }]
}

/** As the engine writes a failed attempt. */
const CODED = /^([A-Z_]{3,40}): (.*)$/s

function waitingOf(sync: SyncSummary | undefined): Facts['waiting'] {
  const byReason = new Map<string, Facts['waiting'][number]>()
  for (const { stream, until, reason, code } of sync?.waiting ?? []) {
    const same = byReason.get(reason) ?? { streams: [], until, reason, code }
    same.streams.push(stream)
    byReason.set(reason, same)
  }
  return [...byReason.values()]
}

async function receiptOf(ctx: OperationContext, connectionId: string, syncId: number) {
  return ctx.objects.connection(connectionId).receipt(syncId)
}

/** None once the sync's own object has gone. */
async function logOf(ctx: OperationContext, syncId: number): Promise<LogLine[]> {
  try {
    const { lines } = await ctx.objects.sync(syncId).logs({ level: 'warn', limit: LOG_LINES })
    return lines.slice(-SHOWN_LINES)
  } catch (error) {
    if (toAirbyteError(error).code === 'NOT_FOUND') return []
    throw error
  }
}

async function askEnds(ctx: OperationContext, { source, destination }: Facts): Promise<void> {
  await Promise.all(
    [source, destination].map(async (end) => {
      end.check = await checkActor(ctx, end.kind, end.id).catch((error) => ({
        ok: false,
        problem: toAirbyteError(error).toJSON(),
      }))
    }),
  )
}

/** @throws VALIDATION_FAILED when nothing says which sync is meant */
export function requireSubject(connection: string | undefined): string {
  if (connection) return connection
  throw new AirbyteError('VALIDATION_FAILED', 'Give a connection or the number of a sync.', {
    field: 'connection',
  })
}
