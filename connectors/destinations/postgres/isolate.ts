/** Loading rows so that one bad value costs one value, or one row, instead of the chunk. */
import type pg from 'pg'
import { AirbyteError, type Batch, type RecordBatch } from '../../../src/protocol/index.ts'
import type { RejectedRow } from '../../../src/runtime/contract.ts'
import type { Layout } from './layout.ts'
import { underSavepoint } from './savepoint.ts'
import { encode, Sink, type SinkTable, toRecords } from './sink.ts'

/** Rejected rows that one chunk may have. */
export const MAX_REJECTS = 1000

/** A value error of a bulk load, for the engine to answer with `isolateBadRows`. */
export function valueRejected({ stream }: Layout, error: unknown): AirbyteError {
  const { message, where } = error as { message: string; where?: string }
  const column = /, column (.+?): /.exec(where ?? '')?.[1]
  return new AirbyteError(
    'VALUE_REJECTED',
    `PostgreSQL refused a value of stream '${stream}'${column ? `, column '${column}'` : ''}: ${message}.`,
    { stream, field: column, cause: error },
  )
}

export interface Isolated {
  rows: number
  rejects: RejectedRow[]
  /** Values that became null here. */
  nulled: number
}

/**
 * Loads the batches in parts under savepoints; a part that is refused is halved, down to the row.
 * There the value at fault becomes null with an entry in `_airbyte_meta.changes`; a row whose key
 * or cursor is at fault, or in which no value can be named, is rejected.
 */
export async function loadIsolated(
  client: pg.Client,
  layout: Layout,
  target: SinkTable,
  body: AsyncIterable<Batch>,
): Promise<Isolated> {
  const result: Isolated = { rows: 0, rejects: [], nulled: 0 }
  const protectedColumns = new Set([...layout.keys, layout.cursor])

  async function load(batch: RecordBatch, nulled = 0): Promise<void> {
    if (batch.length === 0) return
    const error = await attempt(batch)
    if (!error) {
      result.nulled += nulled
      return
    }
    if (batch.length > 1) {
      const half = batch.length >> 1
      await load(slice(batch, 0, half))
      return load(slice(batch, half, batch.length))
    }
    const field = fieldAtFault(layout, batch, error)
    // A null that is refused (NOT NULL, a CHECK) would be refused again.
    const hopeless = field === undefined || protectedColumns.has(field)
    if (hopeless || isNull(layout, batch, field)) return reject(batch, error, field)
    await load(withNull(layout, batch, field), nulled + 1)
  }

  const attempt = (batch: RecordBatch) =>
    underSavepoint(client, async () => {
      const sink = new Sink(client, target)
      await sink.write(encode(layout, target, batch))
      result.rows += await sink.end()
    })

  function reject(batch: RecordBatch, error: Error, field: string | undefined): void {
    const cells = batch.schema.map(({ name }, c) => [name, cellText(batch.columns[c]?.[0])])
    result.rejects.push({
      reason: error.message,
      ...(field === undefined ? {} : { field }),
      row: JSON.stringify(Object.fromEntries(cells)),
    })
    if (result.rejects.length > MAX_REJECTS) throw tooManyRejects(layout)
  }

  for await (const batch of body) await load(toRecords(layout, batch))
  return result
}

export const tooManyRejects = ({ stream }: Layout) =>
  new AirbyteError(
    'REJECTS_OVER_THRESHOLD',
    `More than ${MAX_REJECTS} rows of one chunk of stream '${stream}' were rejected.`,
    { stream },
  )

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

function isNull(layout: Layout, batch: RecordBatch, name: string): boolean {
  const column = layout.columns.find((c) => c.name === name)?.column.name
  const index = batch.schema.findIndex((own) => own.name === column)
  return (batch.columns[index]?.[0] ?? null) === null
}

function withNull(layout: Layout, batch: RecordBatch, name: string): RecordBatch {
  const field = layout.columns.find((column) => column.name === name)?.column.name ?? name
  const change = { row: 0, field, change: 'NULLED', reason: 'DESTINATION_TYPECAST_ERROR' } as const
  return {
    ...batch,
    columns: batch.columns.map((cells, c) => (batch.schema[c]?.name === field ? [null] : cells)),
    changes: [...(batch.changes ?? []), change],
  }
}

function slice(batch: RecordBatch, from: number, to: number): RecordBatch {
  return {
    ...batch,
    length: to - from,
    columns: batch.columns.map((cells) => cells.slice(from, to)),
    op: batch.op?.slice(from, to),
    changes: batch.changes
      ?.filter(({ row }) => row >= from && row < to)
      .map((change) => ({ ...change, row: change.row - from })),
  }
}

/** Digits beyond a double's are kept as text. */
const cellText = (cell: unknown) => (typeof cell === 'bigint' ? cell.toString() : (cell ?? null))
