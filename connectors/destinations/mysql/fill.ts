/** A chunk's rows into the table: straight, or through a temporary table and a merge. */
import type { Batch } from '../../../src/protocol/index.ts'
import type { Chunk } from '../../../src/runtime/contract.ts'
import { peek } from '../../../src/runtime/loading/chunk.ts'
import {
  type Isolated,
  loadIsolated,
  loadWhole,
  merged,
} from '../../../src/runtime/loading/isolate.ts'
import type { SinkTable } from '../../../src/runtime/loading/rows.ts'
import type { MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { columnAtFault, refused } from './fault.ts'
import { incoming, type Layout, nameOf } from './layout.ts'
import { merge } from './merge.ts'
import { leftColumns } from './own-columns.ts'
import { underSavepoint } from './savepoint.ts'
import { InsertSink, LoadSink } from './sink.ts'

/** Within a transaction, whose temporary tables were made before it. */
export async function fill(
  client: MysqlClient,
  layout: Layout,
  name: string,
  chunk: Chunk,
): Promise<Isolated> {
  const first = await peek(chunk.body)
  if (!first) return { rows: 0, rejects: [], nulled: 0 }
  const table = nameOf(layout, name)
  const sink = layout.dedup
    ? { table: incoming(layout), changeLog: true }
    : { table, changeLog: false }
  const isolate = chunk.isolateBadRows ?? false
  const filled = isolate
    ? await loadInParts(client, layout, sink, first.body)
    : await loadBulk(client, layout, sink, first.body)
  if (!layout.dedup) return filled
  const { extractedAt } = first.batch
  const left = await leftColumns(client, layout, name)
  return merged(layout, filled, (maxRejects) =>
    merge(client, layout, { table, left, extractedAt, maxRejects, isolate }).catch((error) =>
      refused(layout, error),
    ),
  )
}

function loadBulk(
  client: MysqlClient,
  layout: Layout,
  target: SinkTable,
  body: AsyncIterable<Batch>,
): Promise<Isolated> {
  const Sink = layout.server.localInfile ? LoadSink : InsertSink
  return loadWhole(new Sink(client, layout, target), body).catch((error) => refused(layout, error))
}

/** In parts, each under a savepoint. */
const loadInParts = (
  client: MysqlClient,
  layout: Layout,
  target: SinkTable,
  body: AsyncIterable<Batch>,
): Promise<Isolated> =>
  loadIsolated(layout, body, {
    async attempt(batch) {
      const sink = new InsertSink(client, layout, target)
      const objection = await underSavepoint(client, () => sink.write(batch))
      return objection ?? sink.rows
    },
    fieldAtFault: (_, error) => columnAtFault(layout, error),
  })
