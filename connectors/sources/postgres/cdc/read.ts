import {
  freezeBound,
  parseLsn,
  positionFromJson,
  printLsn,
} from '../../../../src/cdc/postgres/index.ts'
import {
  AirbyteError,
  type ConfiguredStream,
  type ReadEvent,
  type StreamState,
  streamKey,
} from '../../../../src/protocol/index.ts'
import type { CdcBound } from '../../../../src/runtime/database/followed-state.ts'
import { readFollowed } from '../../../../src/runtime/database/read-followed.ts'
import { readFullRefresh } from '../full-refresh.ts'
import { findRelation, openReader, type StreamInput } from '../reader.ts'
import type { Relation } from '../relations.ts'
import { withCdcColumns } from './columns.ts'
import { fillUnchanged } from './fill.ts'
import { hasPassed } from './freeze.ts'
import { withClient } from './setup.ts'
import { isSameType } from './shape.ts'

/** A stream of the log of PostgreSQL. */
export function readChanges(
  input: StreamInput,
  saved: StreamState | undefined,
): AsyncGenerator<ReadEvent> {
  const { ctx, client, config, configured } = input
  const { stream, primaryKey, keepsUnchanged } = configured
  const key = primaryKey.flatMap((path) => path.slice(0, 1))
  const followed = (relation: Relation) => refuseStranger(configured, relation)
  const find = async () => followed(await findRelation(client, config, stream))
  return readFollowed(
    {
      ctx,
      configured,
      isSameType,
      async *snapshot(since, position, upperBound) {
        const snapshot = { ...configured, upperBound }
        const reader = await openReader(ctx, client, config, snapshot, (relation) =>
          withCdcColumns(followed(relation), parseLsn(since)),
        )
        const { rows } = reader.relation
        if (rows !== null) yield { type: 'estimate', stream: reader.key, rows }
        yield* readFullRefresh(reader, position)
      },
      endOfLog: async () => printLsn(await withClient(ctx, config, freezeBound)),
      isAfter: (place, other) => parseLsn(place) > parseLsn(other),
      hasPassed,
      printPosition: (position) => printLsn(positionFromJson(position).confirmed),
      ...(keepsUnchanged
        ? {}
        : {
            complete: async (batch) => {
              const rows = new Set(Array.from({ length: batch.length }, (_, row) => row))
              // Without it nobody knows what was left out: the stream fails and is read on later.
              const whole = await fillUnchanged(client, find, key, batch, rows)
              if (whole !== batch) await find()
              return whole
            },
          }),
      columnsNow: async () =>
        (await findRelation(client, config, stream)).columns.map(({ column }) => column),
    },
    saved,
  )
}

/** Another table may have got the name since the log was prepared for the sync. */
function refuseStranger({ stream, upperBound }: ConfiguredStream, relation: Relation): Relation {
  const { table } = (upperBound ?? {}) as Partial<CdcBound>
  if (table === undefined || table === relation.oid) return relation
  const key = streamKey(stream)
  throw new AirbyteError('STREAM_NOT_FOUND', `The name ${key} is another table's by now.`, {
    stream: key,
    hint: 'The one that is followed was renamed or dropped while the sync ran. Give it its name back and sync again, or refresh the stream: it is read from the other table then.',
  })
}
