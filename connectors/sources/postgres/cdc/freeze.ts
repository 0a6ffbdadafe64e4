import { freezeBound, positionFromJson, printLsn } from '../../../../src/cdc/postgres/index.ts'
import {
  AirbyteError,
  type ConfiguredStream,
  columnsOf,
  type JsonObject,
  type JsonValue,
  type StreamKey,
  streamKey,
} from '../../../../src/protocol/index.ts'
import type { ConnectorContext, ReadState } from '../../../../src/runtime/contract.ts'
import type { LogStream, StagedChanges } from '../../../../src/runtime/source-log.ts'
import type { SourceConfig } from '../config.ts'
import { freezeFullRefresh } from '../full-refresh.ts'
import { openReader } from '../reader.ts'
import { closing, connectSource } from '../session.ts'
import { ownColumns, withCdcColumns } from './columns.ts'
import { withClient } from './setup.ts'
import type { CdcBound, CdcState } from './state.ts'

/** Rejects where nobody reads the log. */
export function changesOf({ changes }: ConnectorContext): StagedChanges {
  if (changes) return changes
  throw new AirbyteError('UNSUPPORTED', 'Changes are read from the log by a server only.', {
    field: 'config.replication_method',
    hint: 'Sync by a connection, or choose the update method Standard.',
  })
}

/**
 * Sets the log up for these streams and has it drained from now on; then takes its end, and what the
 * snapshots of streams that begin anew do not go beyond.
 */
export async function freezeChanges(
  ctx: ConnectorContext,
  config: SourceConfig,
  streams: ConfiguredStream[],
  { streams: states }: ReadState,
): Promise<Map<StreamKey, JsonValue>> {
  const saved = (configured: ConfiguredStream) =>
    states.get(streamKey(configured.stream)) as unknown as CdcState | undefined
  const { log, end, failed } = await changesOf(ctx).prepare(
    streams.map((configured) => logStreamOf(configured, saved(configured))),
  )
  const lsn = printLsn(await withClient(ctx, config, freezeBound))
  const { segment, position } = end
  const bounds = new Map<StreamKey, JsonValue>()
  await closing(await connectSource(ctx, config), async (client) => {
    for (const configured of streams) {
      const key = streamKey(configured.stream)
      const error = failed.find(({ stream }) => stream === key)?.error
      const bound: CdcBound = { type: 'cdc', log, segment, position, lsn }
      const state = saved(configured)
      if (error) bound.error = { ...error } as JsonObject
      else if (!state || state.snapshot) {
        const extend = (relation: Parameters<typeof withCdcColumns>[0]) =>
          withCdcColumns(relation, positionFromJson(position).confirmed)
        const reader = await openReader(ctx, client, config, configured, extend)
        bound.snapshot = { ...(await freezeFullRefresh(reader)) } as unknown as JsonObject
      }
      bounds.set(key, JSON.parse(JSON.stringify(bound)) as JsonValue)
    }
  })
  return bounds
}

function logStreamOf(configured: ConfiguredStream, state: CdcState | undefined): LogStream {
  const { name, namespace, json_schema } = configured.stream
  const { selectedFields, destinationSyncMode, primaryKey } = configured
  const key = destinationSyncMode.endsWith('dedup') ? primaryKey : []
  return {
    stream: { name, ...(namespace === undefined ? {} : { namespace }) },
    primaryKey: key.flatMap((path) => path.slice(0, 1)),
    columns: ownColumns(columnsOf(json_schema)),
    ...(selectedFields ? { selectedFields } : {}),
    ...(state?.type === 'cdc' ? { loaded: state.segment } : {}),
  }
}
