/** Records as the faces show them: ISO times, no internals, nothing that a person must not see. */
import type {
  ActorRecord,
  ConnectionRecord,
  ConnectorPin,
  Schedule,
  StreamProgress,
  SyncRecord,
  SyncSummary,
} from '../durable-object/rpc.ts'
import type { IndexRow } from './tenant.ts'

export const iso = (ms: number) => new Date(ms).toISOString()
const optionalIso = (ms: number | undefined) => (ms === undefined ? undefined : iso(ms))

export function actorView(kind: 'source' | 'destination', record: ActorRecord) {
  const { id, name, type, status, config, missingSecrets, createdAt, updatedAt } = record
  return {
    ...{ id, kind, name, type, status, config, missingSecrets },
    connector: record.connector && pinView(record.connector),
    createdAt: iso(createdAt),
    updatedAt: iso(updatedAt),
  }
}

const pinView = ({ connectorId, hash, info }: ConnectorPin) => ({
  id: connectorId,
  version: info.version,
  contentHash: hash,
})

export function connectionView(record: ConnectionRecord) {
  const { tenantId: _, sourceId, destinationId, schedule, lastSync, nextRunAt, ...most } = record
  const { freshAsOf: _asOf, freshnessSeconds: _target, ...rest } = most
  return {
    ...rest,
    kind: 'connection' as const,
    source: sourceId,
    destination: destinationId,
    schedule: scheduleView(schedule),
    nextRunAt: optionalIso(nextRunAt),
    lastSync: lastSync && syncView(lastSync),
    freshness: freshnessView(record),
    createdAt: iso(record.createdAt),
    updatedAt: iso(record.updatedAt),
  }
}

/**
 * How fresh the rows are: as of when, and whether that is older than the connection's target. One
 * that never succeeded is measured from when it was made.
 */
function freshnessView(
  connection: Pick<ConnectionRecord, 'freshAsOf' | 'freshnessSeconds' | 'createdAt'>,
) {
  const { freshAsOf, freshnessSeconds: targetSeconds = 0, createdAt } = connection
  const age = Date.now() - (freshAsOf ?? createdAt)
  return {
    asOf: optionalIso(freshAsOf),
    ...(targetSeconds > 0 && { targetSeconds, late: age > targetSeconds * 1000 }),
  }
}

/** In the form in which it is given. */
export function scheduleView(schedule: Schedule) {
  switch (schedule.type) {
    case 'cron':
      return { cron: schedule.cron, timezone: schedule.timezone }
    case 'interval':
      return { intervalSeconds: schedule.seconds }
    case 'continuous':
      return { continuous: true as const }
    case 'manual':
      return { manual: true as const }
  }
}

export function syncView(sync: SyncSummary) {
  const { syncId, connectionId, status, rows, bytes, warnings, error, waiting, log } = sync
  return {
    ...{ syncId, connectionId, status, rows, bytes, warnings, error, log },
    ...(waiting && { waiting: waiting.map((wait) => ({ ...wait, until: iso(wait.until) })) }),
    waitingUntil: optionalIso(sync.waitingUntil),
    startedAt: iso(sync.startedAt),
    updatedAt: iso(sync.updatedAt),
    endedAt: optionalIso(sync.endedAt),
  }
}

export function syncDetailView(sync: SyncRecord) {
  const { streams, streamCounts } = sync
  return { ...syncView(sync), streams: streams.map(streamView), streamCounts }
}

function streamView({ waitingUntil, ...progress }: StreamProgress) {
  return { ...progress, waitingUntil: optionalIso(waitingUntil) }
}

export function rowView({ createdAt, updatedAt, nextRunAt, lastSync, ...row }: IndexRow) {
  const { sourceId: source, destinationId: destination, freshAsOf, freshnessSeconds, ...rest } = row
  return {
    ...rest,
    source,
    destination,
    ...(row.kind === 'connection' && {
      freshness: freshnessView({ freshAsOf, freshnessSeconds, createdAt }),
    }),
    nextRunAt: optionalIso(nextRunAt),
    lastSync: lastSync && {
      ...lastSync,
      startedAt: iso(lastSync.startedAt),
      endedAt: optionalIso(lastSync.endedAt),
    },
    createdAt: iso(createdAt),
    updatedAt: iso(updatedAt),
  }
}
