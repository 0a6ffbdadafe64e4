import type pg from 'pg'
import {
  freezeBound,
  parseLsn,
  positionFromJson,
  printLsn,
  tableIncarnations,
  tableOid,
} from '../../../../src/cdc/postgres/index.ts'
import type {
  ConfiguredStream,
  JsonObject,
  JsonValue,
  StreamKey,
} from '../../../../src/protocol/index.ts'
import type { ConnectorContext, ReadState } from '../../../../src/runtime/contract.ts'
import { freezeFollowed } from '../../../../src/runtime/database/freeze-followed.ts'
import { mapPostgresError } from '../../../../src/runtime/postgres/errors.ts'
import type { SourceConfig } from '../config.ts'
import { freezeFullRefresh } from '../full-refresh.ts'
import { openReader, placeOf } from '../reader.ts'
import { closing, connectSource } from '../session.ts'
import { ownColumns, withCdcColumns } from './columns.ts'
import { withClient } from './setup.ts'

/** Whether everything that was committed before the place is at or before the position. */
export const hasPassed = (position: JsonObject, place: string): boolean =>
  positionFromJson(position).confirmed >= parseLsn(place)

/** What a sync does not go beyond in the log, and in the tables of streams that begin anew. */
export const freezeChanges = (
  ctx: ConnectorContext,
  config: SourceConfig,
  streams: ConfiguredStream[],
  state: ReadState,
): Promise<Map<StreamKey, JsonValue>> =>
  freezeFollowed(ctx, streams, state, {
    ownColumns,
    tables: (asked) => withClient(ctx, config, (client) => tableOids(client, asked)),
    endOfLog: async () => printLsn(await withClient(ctx, config, freezeBound)),
    sinceOf: (position) => printLsn(positionFromJson(position).confirmed),
    snapshots: async (begun, position) =>
      closing(await connectSource(ctx, config), async (client) => {
        const { confirmed } = positionFromJson(position)
        const bounds: JsonObject[] = []
        for (const configured of begun) {
          try {
            const reader = await openReader(ctx, client, config, configured, (relation) =>
              withCdcColumns(relation, confirmed),
            )
            bounds.push({ ...(await freezeFullRefresh(reader)) } as unknown as JsonObject)
          } catch (error) {
            throw mapPostgresError(error, placeOf(config, configured))
          }
        }
        return bounds
      }),
  })

async function tableOids(
  client: pg.Client,
  streams: ConfiguredStream[],
): Promise<Map<StreamKey, number>> {
  const named = streams.map(({ stream }) => ({ schema: stream.namespace ?? '', name: stream.name }))
  const oids = new Map<StreamKey, number>()
  for (const [stream, incarnation] of await tableIncarnations(client, [], named)) {
    const oid = tableOid({ incarnation })
    if (oid !== undefined) oids.set(stream, oid)
  }
  return oids
}
