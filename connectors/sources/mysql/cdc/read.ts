import {
  endOfLog,
  hasPassed,
  type LogPoint,
  orderOf,
  positionFromJson,
  printPosition,
} from '../../../../src/cdc/mysql/index.ts'
import type {
  ConfiguredStream,
  JsonObject,
  JsonValue,
  ReadEvent,
  StreamKey,
  StreamState,
} from '../../../../src/protocol/index.ts'
import type { ConnectorContext, ReadState } from '../../../../src/runtime/contract.ts'
import { freezeFollowed } from '../../../../src/runtime/database/freeze-followed.ts'
import { readFollowed } from '../../../../src/runtime/database/read-followed.ts'
import type { SourceConfig } from '../config.ts'
import { freezeFullRefresh, readFullRefresh } from '../full-refresh.ts'
import { openReader, type StreamInput } from '../reader.ts'
import { withSource } from '../session.ts'
import { findTable } from '../tables.ts'
import { ownColumns, withCdcColumns } from './columns.ts'

const endNow = (ctx: ConnectorContext, config: SourceConfig) =>
  withSource(ctx, config, async (client) => printPosition(await endOfLog(client)))

function parsePoint(place: string): LogPoint {
  const colon = place.lastIndexOf(':')
  return { file: place.slice(0, colon), pos: Number(place.slice(colon + 1)) }
}

/** Whether everything that was committed before the place is at or before the position. */
export const isPast = (position: JsonObject, place: string): boolean =>
  hasPassed(positionFromJson(position), parsePoint(place))

const sinceOf = (position: JsonObject) => {
  const { file, base, pos } = positionFromJson(position)
  return String(orderOf(file, base, pos))
}

/** What a sync does not go beyond in the log, and in the tables of streams that begin anew. */
export const freezeChanges = (
  ctx: ConnectorContext,
  config: SourceConfig,
  streams: ConfiguredStream[],
  state: ReadState,
): Promise<Map<StreamKey, JsonValue>> =>
  freezeFollowed(ctx, streams, state, {
    ownColumns,
    sinceOf,
    endOfLog: () => endNow(ctx, config),
    snapshots: (begun, position) =>
      withSource(ctx, config, async (client) => {
        const bounds: JsonObject[] = []
        for (const configured of begun) {
          const input = { ctx, client, config, configured }
          const reader = await openReader(input, (table) =>
            withCdcColumns(table, sinceOf(position)),
          )
          bounds.push({ ...(await freezeFullRefresh(reader)) } as unknown as JsonObject)
        }
        return bounds
      }),
  })

/** A stream of the binlog. */
export function readChanges(
  input: StreamInput,
  saved: StreamState | undefined,
): AsyncGenerator<ReadEvent> {
  const { ctx, client, config, configured } = input
  return readFollowed(
    {
      ctx,
      configured,
      async *snapshot(since, position, upperBound) {
        const snapshot = { ...input, configured: { ...configured, upperBound } }
        const reader = await openReader(snapshot, (table) => withCdcColumns(table, since))
        const { rows } = reader.table
        if (rows !== null) yield { type: 'estimate', stream: reader.key, rows }
        yield* readFullRefresh(reader, position)
      },
      endOfLog: () => endNow(ctx, config),
      isAfter: (place, other) =>
        hasPassed({ ...parsePoint(place), gtid: '', events: 0, base: 0 }, parsePoint(other)),
      hasPassed: isPast,
      printPosition: (position) => printPosition(positionFromJson(position)),
      columnsNow: async () => {
        const { columns } = await findTable(client, config, configured.stream)
        return columns.map(({ column }) => column)
      },
      isSameType: (a, b) => a.type === b.type,
    },
    saved,
  )
}
