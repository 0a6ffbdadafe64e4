import type pg from 'pg'
import { AirbyteError, type Batch, type RecordBatch } from '../../../src/protocol/index.ts'
import { type Isolated, loadIsolated } from '../../../src/runtime/loading/isolate.ts'
import type { Layout } from '../../../src/runtime/loading/layout.ts'
import { type FamilyTables, sinkFor } from './family-sink.ts'
import { isValueError, underSavepoint } from './savepoint.ts'
import { encode, Sink } from './sink.ts'

/** A value error of a bulk load, for the engine to answer with `isolateBadRows`. */
function valueRejected({ stream }: Layout, error: unknown): AirbyteError {
  const { message, where } = error as { message: string; where?: string }
  const column = /, column (.+?): /.exec(where ?? '')?.[1]
  return new AirbyteError(
    'VALUE_REJECTED',
    `PostgreSQL refused a value of stream '${stream}'${column ? `, column '${column}'` : ''}: ${message}.`,
    { stream, field: column, cause: error },
  )
}

/** Throws what a load failed with, a value error as the engine's answer to it wants it. */
export function refused(layout: Layout, error: unknown): never {
  throw isValueError(error) ? valueRejected(layout, error) : error
}

/** Loads the batches in parts, each under a savepoint. */
export const loadInParts = (
  client: pg.Client,
  layout: Layout,
  tables: FamilyTables,
  body: AsyncIterable<Batch>,
): Promise<Isolated> =>
  loadIsolated(layout, body, {
    async attempt(batch, own) {
      const target = sinkFor(tables, batch.child)
      let rows = 0
      const objection = await underSavepoint(client, async () => {
        const sink = new Sink(client, target)
        await sink.write(encode(own, target, batch))
        rows = await sink.end()
      })
      return objection ?? rows
    },
    fieldAtFault: (batch, error, own) => fieldAtFault(own, batch, error),
  })

/** The column that PostgreSQL names in its error's context, or the one that holds U+0000. */
function fieldAtFault(layout: Layout, batch: RecordBatch, error: Error): string | undefined {
  const where = (error as { where?: string }).where ?? ''
  const column = (error as { column?: string }).column
  const named = layout.columns.filter(
    ({ name }) => name === column || where.includes(`, column ${name}: `),
  )
  // Of `a` and `a: b` the longer one is meant.
  const longest = named.sort((a, b) => b.name.length - a.name.length)[0]
  if (longest) return longest.name
  const withNul = batch.columns.findIndex(
    ([cell]) => typeof cell === 'string' && cell.includes('\0'),
  )
  const field = batch.schema[withNul]?.name
  return layout.columns.find(({ column }) => column.name === field)?.name
}
