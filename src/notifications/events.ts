import type { ConnectionRecord, Receipt, SyncStatus, SyncSummary } from '../durable-object/rpc.ts'
import { iso } from '../operations/views.ts'

/** What a webhook can be told of. */
export const EVENT_TYPES = [
  'sync.succeeded',
  'sync.failed',
  'sync.recovered',
  'schema.changed',
  'rows.rejected',
  'log.retained',
  'data.late',
] as const
export type EventType = (typeof EVENT_TYPES)[number]

/** Sent once per webhook: `id` is the same however often the same thing is reported. */
export interface NotificationEvent {
  id: string
  type: EventType
  /** ISO time of what happened. */
  timestamp: string
  connectionId: string
  data: Record<string, unknown>
}

type Named = Pick<ConnectionRecord, 'id' | 'name'>

/** What the end of a sync is news of. `before` is how the connection's last sync ended. */
export function eventsOfSync(
  connection: Named,
  summary: SyncSummary,
  { warnings }: Pick<Receipt, 'warnings'>,
  before: SyncStatus | undefined,
): NotificationEvent[] {
  const { status, error } = summary
  const has = (code: string) => warnings.some((warning) => warning.code === code)
  const isFailure = (ended: SyncStatus | undefined) => ended === 'failed' || ended === 'incomplete'
  const happened: Record<EventType, boolean> = {
    'sync.succeeded': status === 'succeeded',
    'sync.failed': isFailure(status),
    'sync.recovered': status === 'succeeded' && isFailure(before),
    'schema.changed': error?.code === 'SCHEMA_CHANGED' || has('SCHEMA_CHANGED'),
    'rows.rejected': has('REJECTS'),
    'log.retained': has('LOG_RETAINED'),
    'data.late': false,
  }
  const sync = syncOf(summary)
  return EVENT_TYPES.filter((type) => happened[type]).map((type) => ({
    id: `${connection.id}.${summary.syncId}.${type}`,
    type,
    timestamp: sync.endedAt,
    connectionId: connection.id,
    data: { connection: nameOf(connection), sync, warnings: warnings.slice(0, 20) },
  }))
}

/** The rows of a connection became older than its target. Once for each time that they do. */
export function lateEvent(connection: Named, dueAt: number): NotificationEvent {
  return {
    id: `${connection.id}.${dueAt}.data.late`,
    type: 'data.late',
    timestamp: iso(dueAt),
    connectionId: connection.id,
    data: { connection: nameOf(connection) },
  }
}

const nameOf = ({ id, name }: Named) => ({ id, name })

function syncOf({ syncId, status, rows, bytes, startedAt, endedAt, error }: SyncSummary) {
  return {
    ...{ syncId, status, rows, bytes },
    startedAt: iso(startedAt),
    endedAt: iso(endedAt ?? Date.now()),
    ...(error && { error: { code: error.code, message: error.message, hint: error.hint } }),
  }
}
