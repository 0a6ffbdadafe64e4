import {
  freezeBound,
  parseLsn,
  positionFromJson,
  printLsn,
} from '../../../../src/cdc/postgres/index.ts'
import type { ReadEvent, StreamState } from '../../../../src/protocol/index.ts'
import { readFollowed } from '../../../../src/runtime/database/read-followed.ts'
import { readFullRefresh } from '../full-refresh.ts'
import { findRelation, openReader, type StreamInput } from '../reader.ts'
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
  return readFollowed(
    {
      ctx,
      configured,
      isSameType,
      async *snapshot(since, position, upperBound) {
        const snapshot = { ...configured, upperBound }
        const reader = await openReader(ctx, client, config, snapshot, (relation) =>
          withCdcColumns(relation, parseLsn(since)),
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
            complete: (batch) =>
              fillUnchanged(
                client,
                // Without it nobody knows what was left out: the stream fails and is read on later.
                () => findRelation(client, config, stream),
                key,
                batch,
                new Set(Array.from({ length: batch.length }, (_, row) => row)),
              ),
          }),
      columnsNow: async () =>
        (await findRelation(client, config, stream)).columns.map(({ column }) => column),
    },
    saved,
  )
}
