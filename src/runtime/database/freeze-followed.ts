import {
  AirbyteError,
  type Column,
  type ConfiguredStream,
  columnsOf,
  isDedup,
  type JsonObject,
  type JsonValue,
  type StreamKey,
  streamKey,
} from '../../protocol/index.ts'
import type { ConnectorContext, ReadState } from '../contract.ts'
import type { LogStream, StagedChanges } from '../source-log.ts'
import type { CdcBound, CdcState } from './followed-state.ts'

/** Rejects where nobody reads the log. */
export function changesOf({ changes }: ConnectorContext): StagedChanges {
  if (changes) return changes
  throw new AirbyteError('UNSUPPORTED', 'Nobody reads the log of this source here.', {
    field: 'config.replication_method',
    hint: 'Sync by a connection, read it by `airbyte connector read`, or choose an update method without the log.',
  })
}

export interface Freezing {
  /**
   * The ids of the tables that have these names, where values or a snapshot may be read from them. They
   * are asked for before the log is prepared, which refuses tables that are not those it follows.
   */
  tables?(streams: ConfiguredStream[]): Promise<Map<StreamKey, number>>
  /** The end of the log now, as the database prints it. */
  endOfLog(): Promise<string>
  /** Place that rows of a snapshot bear, given from where on changes are read. */
  sinceOf(position: JsonObject, end: string): string
  /** What snapshots of these streams do not go beyond, in their order; by one session for all. */
  snapshots(streams: ConfiguredStream[], position: JsonObject): Promise<JsonObject[]>
  /** Without those that the log adds. */
  ownColumns(columns: Column[]): Column[]
}

/**
 * Sets the log up for these streams and has it drained from now on; then takes its end, and what the
 * snapshots of streams that begin anew do not go beyond.
 */
export async function freezeFollowed(
  ctx: ConnectorContext,
  streams: ConfiguredStream[],
  { streams: states }: ReadState,
  freezing: Freezing,
): Promise<Map<StreamKey, JsonValue>> {
  const saved = (configured: ConfiguredStream) =>
    states.get(streamKey(configured.stream)) as unknown as CdcState | undefined
  const readsTable = (configured: ConfiguredStream) => {
    const state = saved(configured)
    return !state || state.snapshot !== undefined
  }
  const asked = streams.filter((configured) => !configured.keepsUnchanged || readsTable(configured))
  const tables = asked.length > 0 ? await freezing.tables?.(asked) : undefined
  const {
    log,
    end,
    failed,
    warnings = [],
  } = await changesOf(ctx).prepare(
    streams.map((configured) => logStreamOf(configured, saved(configured), freezing)),
  )
  for (const { stream, message } of warnings) {
    ctx.log('warn', message, 'CHANGES_NOT_IN_LOG', stream)
  }
  const endOfLog = await freezing.endOfLog()
  const { segment, position } = end
  const since = freezing.sinceOf(position, endOfLog)
  const errors = new Map(failed.map(({ stream, error }) => [stream, error]))
  const begun = streams.filter(
    (configured) => readsTable(configured) && !errors.has(streamKey(configured.stream)),
  )
  const extents = begun.length > 0 ? await freezing.snapshots(begun, position) : []
  const snapshots = new Map(begun.map(({ stream }, i) => [streamKey(stream), extents[i]]))
  const bounds = new Map<StreamKey, JsonValue>()
  for (const { stream } of streams) {
    const key = streamKey(stream)
    const bound: CdcBound = { type: 'cdc', log, segment, position, end: endOfLog, since }
    const error = errors.get(key)
    const snapshot = snapshots.get(key)
    if (error) bound.error = { ...error } as JsonObject
    const table = tables?.get(key)
    if (table !== undefined) bound.table = table
    if (snapshot) bound.snapshot = snapshot
    bounds.set(key, JSON.parse(JSON.stringify(bound)) as JsonValue)
  }
  return bounds
}

function logStreamOf(
  configured: ConfiguredStream,
  state: CdcState | undefined,
  { ownColumns }: Freezing,
): LogStream {
  const { name, namespace, json_schema } = configured.stream
  const { selectedFields, destinationSyncMode, primaryKey } = configured
  const key = isDedup(destinationSyncMode) ? primaryKey : []
  return {
    stream: { name, ...(namespace === undefined ? {} : { namespace }) },
    primaryKey: key.flatMap((path) => path.slice(0, 1)),
    columns: ownColumns(columnsOf(json_schema)),
    ...(selectedFields ? { selectedFields } : {}),
    ...(state?.type === 'cdc' ? { loaded: state.segment } : {}),
  }
}
