/** Airbyte's public API v1 names for our records, both ways. */
import {
  AirbyteError,
  type DestinationSyncMode,
  type StreamMapping,
  type SyncMode,
} from '../../../protocol/index.ts'
import { mappersOutput, mappingInput } from './mappers.ts'

type Loose = Record<string, unknown>

/** Airbyte's names for the pairs of modes. */
const PAIRS: Record<string, { syncMode: SyncMode; destinationSyncMode: DestinationSyncMode }> = {
  full_refresh_overwrite: { syncMode: 'full_refresh', destinationSyncMode: 'overwrite' },
  full_refresh_overwrite_deduped: {
    syncMode: 'full_refresh',
    destinationSyncMode: 'overwrite_dedup',
  },
  full_refresh_append: { syncMode: 'full_refresh', destinationSyncMode: 'append' },
  incremental_append: { syncMode: 'incremental', destinationSyncMode: 'append' },
  incremental_deduped_history: { syncMode: 'incremental', destinationSyncMode: 'append_dedup' },
}

export function pairName(syncMode: unknown, destinationSyncMode: unknown): string | undefined {
  return Object.keys(PAIRS).find(
    (name) =>
      PAIRS[name]?.syncMode === syncMode &&
      PAIRS[name]?.destinationSyncMode === destinationSyncMode,
  )
}

/** Pairs a stream can be read in. */
export const pairsOf = (syncModes: unknown) =>
  Object.keys(PAIRS).filter((name) => (syncModes as string[]).includes(PAIRS[name]?.syncMode ?? ''))

/** `configurations.streams[i]` → a stream of ours. */
export function streamInput(stream: Loose, i: number) {
  const { name, namespace, syncMode = 'full_refresh_overwrite', cursorField, primaryKey } = stream
  const { includeFiles } = stream
  const pair = PAIRS[String(syncMode)]
  if (!pair) {
    throw new AirbyteError('VALIDATION_FAILED', `'${syncMode}' is not a sync mode.`, {
      field: `configurations.streams[${i}].syncMode`,
      didYouMean: Object.keys(PAIRS),
    })
  }
  return {
    name,
    ...pair,
    ...(namespace !== undefined && { namespace }),
    ...(isFilled(cursorField) && { cursorField }),
    ...(isFilled(primaryKey) && { primaryKey }),
    ...(includeFiles !== undefined && { includeFiles }),
    ...fieldsInput(stream, `configurations.streams[${i}]`),
  }
}

/** What becomes of the fields. A mapping of ours may be given too, for what Airbyte has no words for. */
function fieldsInput({ selectedFields, mappers, mapping }: Loose, at: string) {
  const selected = isFilled(selectedFields)
    ? (selectedFields as { fieldPath?: string[] }[]).map(({ fieldPath }) => fieldPath?.[0] ?? '')
    : undefined
  if (!isFilled(mappers)) {
    return {
      ...(selected && { selectedFields: selected }),
      ...(mapping !== undefined && { mapping }),
    }
  }
  const { leftOut, mapping: mapped } = mappingInput(mappers, `${at}.mappers`)
  if (leftOut && !selected) {
    throw new AirbyteError(
      'VALIDATION_FAILED',
      `${leftOut} cannot be left out by a mapper alone.`,
      {
        field: `${at}.mappers`,
        hint: 'Name the fields to keep in selectedFields.',
      },
    )
  }
  return {
    ...(selected && { selectedFields: selected.filter((name) => !leftOut?.includes(name)) }),
    ...(mapped && { mapping: mapped }),
  }
}

const isFilled = (value: unknown): value is unknown[] => Array.isArray(value) && value.length > 0

export function streamOutput(stream: Loose) {
  const { name, namespace, cursorField, primaryKey, selectedFields, includeFiles } = stream
  return {
    ...{ name, namespace, cursorField, primaryKey, includeFiles },
    syncMode: pairName(stream.syncMode, stream.destinationSyncMode),
    selectedFields: (selectedFields as string[] | undefined)?.map((field) => ({
      fieldPath: [field],
    })),
    ...mappersOutput(stream.mapping as StreamMapping | undefined),
  }
}

const SCHEMA_CHANGES: Record<string, string> = { disable_connection: 'disable' }
const BEHAVIORS: Record<string, string> = { disable: 'disable_connection' }

/** A create or patch body → input of ours. Fields that are absent stay absent. */
export function connectionInput(body: Loose): Loose {
  const { name, schedule, configurations, prefix, namespaceDefinition, namespaceFormat } = body
  const { nonBreakingSchemaUpdatesBehavior: behavior, status } = body
  const streams = (configurations as { streams?: Loose[] } | undefined)?.streams
  const namespace = namespaceDefinition === 'custom_format' ? namespaceFormat : undefined
  return {
    ...(name !== undefined && { name }),
    ...(schedule !== undefined && { schedule: scheduleInput(schedule as Loose) }),
    ...(streams && { streams: streams.map(streamInput) }),
    ...(prefix !== undefined && { prefix }),
    ...(namespace !== undefined && { namespace }),
    ...(behavior !== undefined && { schemaChanges: SCHEMA_CHANGES[String(behavior)] ?? behavior }),
    ...(status !== undefined && { status: status === 'inactive' ? 'paused' : status }),
  }
}

/** What we add to Airbyte's schedules comes back as it was shown. */
function scheduleInput({ scheduleType, cronExpression, basicTiming }: Loose) {
  if (scheduleType === 'cron') return fromQuartz(String(cronExpression))
  if (basicTiming === CONTINUOUSLY) return { continuous: true }
  return { manual: true }
}

const CONTINUOUSLY = 'Continuously'

/**
 * Airbyte takes Quartz expressions (seconds first, `?`, Sunday is 1, the time zone at the end);
 * five fields pass as they are.
 */
export function fromQuartz(expression: string): { cron: string; timezone?: string } {
  const parts = expression.trim().split(/\s+/)
  const zone =
    /[A-Za-z]{2,}/.test(parts.at(-1) ?? '') && parts.length > 5 ? parts.at(-1) : undefined
  const isZone = zone !== undefined && !/^(MON|TUE|WED|THU|FRI|SAT|SUN)/i.test(zone)
  const fields = isZone ? parts.slice(0, -1) : parts
  const timezone = isZone ? { timezone: zone } : {}
  if (fields.length <= 5) return { cron: fields.join(' '), ...timezone }
  const [seconds, minute, hour, day, month, weekday = '*', year = '*'] = fields
  if (seconds !== '0' || year !== '*') {
    throw new AirbyteError('SCHEDULE_INVALID', 'Seconds must be 0 and years *.', {
      field: 'schedule.cronExpression',
    })
  }
  const any = (field: string | undefined) => (field === '?' ? '*' : field)
  const sundayIsZero = weekday.replaceAll(/(?<![/#\d])[1-7](?!\d)/g, (d) => String(Number(d) - 1))
  return { cron: [minute, hour, any(day), month, any(sundayIsZero)].join(' '), ...timezone }
}

export function connectionOutput(record: Loose, workspaceId: string) {
  const { cron, timezone, intervalSeconds, continuous } = record.schedule as Loose
  const zone = timezone === 'UTC' ? '' : ` ${timezone}`
  const schedule =
    cron !== undefined
      ? { scheduleType: 'cron', cronExpression: `0 ${quartz(String(cron))}${zone}` }
      : intervalSeconds !== undefined
        ? { scheduleType: 'basic', basicTiming: `Every ${intervalSeconds} seconds` }
        : continuous
          ? { scheduleType: 'basic', basicTiming: CONTINUOUSLY }
          : { scheduleType: 'manual' }
  return {
    connectionId: record.id,
    name: record.name,
    sourceId: record.source,
    destinationId: record.destination,
    workspaceId,
    status: record.status === 'paused' ? 'inactive' : 'active',
    schedule,
    dataResidency: 'auto',
    configurations: { streams: (record.streams as Loose[]).map(streamOutput) },
    namespaceDefinition: record.namespace === undefined ? 'source' : 'custom_format',
    namespaceFormat: record.namespace,
    prefix: record.prefix,
    nonBreakingSchemaUpdatesBehavior:
      BEHAVIORS[String(record.schemaChanges)] ?? record.schemaChanges,
    createdAt: seconds(record.createdAt),
  }
}

function quartz(cron: string): string {
  const [minute, hour, day, month, weekday = '*'] = cron.split(' ')
  if (weekday === '*') return [minute, hour, day, month, '?'].join(' ')
  const sundayIsOne = weekday.replaceAll(/(?<![/#\d])[0-7](?!\d)/g, (d) =>
    String((Number(d) % 7) + 1),
  )
  return [minute, hour, day === '*' ? '?' : day, month, sundayIsOne].join(' ')
}

export function actorOutput(kind: 'source' | 'destination', record: Loose, workspaceId: string) {
  return {
    [`${kind}Id`]: record.id,
    name: record.name,
    [`${kind}Type`]: record.type,
    workspaceId,
    configuration: record.config,
    createdAt: seconds(record.createdAt),
  }
}

/** A sync as Airbyte's job. */
export function jobOutput(sync: Loose) {
  const { syncId, status, connectionId, startedAt, updatedAt, endedAt, bytes, rows } = sync
  const until = Date.parse(String(endedAt ?? updatedAt ?? startedAt))
  return {
    jobId: syncId,
    status,
    jobType: 'sync',
    startTime: startedAt,
    lastUpdatedAt: endedAt ?? updatedAt,
    connectionId,
    bytesSynced: bytes,
    rowsSynced: rows,
    duration: duration(Math.max(0, until - Date.parse(String(startedAt)))),
  }
}

/** ISO 8601, as Airbyte gives it: `PT1H2M3S`. */
function duration(ms: number): string {
  const total = Math.round(ms / 1000)
  const [hours, minutes] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60)]
  const rest = total % 60
  const text = `${hours ? `${hours}H` : ''}${minutes ? `${minutes}M` : ''}${rest ? `${rest}S` : ''}`
  return `PT${text || '0S'}`
}

const seconds = (time: unknown) => Math.floor(Date.parse(String(time)) / 1000)
