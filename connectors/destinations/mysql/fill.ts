/** A chunk's rows into the table: straight, or through a temporary table and a merge. */
import type { Batch } from '../../../src/protocol/index.ts'
import type { Chunk } from '../../../src/runtime/contract.ts'
import { peek } from '../../../src/runtime/loading/chunk.ts'
import {
  type Isolated,
  loadIsolated,
  MAX_REJECTS,
  tooManyRejects,
} from '../../../src/runtime/loading/isolate.ts'
import type { SinkTable } from '../../../src/runtime/loading/rows.ts'
import type { MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { columnAtFault, isValueError, valueRejected } from './fault.ts'
import { incoming, type Layout, nameOf } from './layout.ts'
import { merge } from './merge.ts'
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
  const maxRejects = MAX_REJECTS - filled.rejects.length
  const { extractedAt } = first.batch
  const refused = await merge(client, layout, { table, extractedAt, maxRejects, isolate }).catch(
    (error) => {
      throw isValueError(error) ? valueRejected(layout, error) : error
    },
  )
  if (refused.length > maxRejects) throw tooManyRejects(layout)
  return {
    rows: filled.rows - refused.length,
    rejects: [...filled.rejects, ...refused],
    nulled: filled.nulled,
  }
}

async function loadBulk(
  client: MysqlClient,
  layout: Layout,
  target: SinkTable,
  body: AsyncIterable<Batch>,
): Promise<Isolated> {
  const Sink = layout.server.localInfile ? LoadSink : InsertSink
  const sink = new Sink(client, layout, target)
  try {
    for await (const batch of body) await sink.write(batch)
    return { rows: await sink.end(), rejects: [], nulled: 0 }
  } catch (error) {
    await sink.cancel()
    throw isValueError(error) ? valueRejected(layout, error) : error
  }
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
      const refused = await underSavepoint(client, () => sink.write(batch))
      return refused ?? sink.rows
    },
    fieldAtFault: (_, error) => columnAtFault(layout, error),
  })
