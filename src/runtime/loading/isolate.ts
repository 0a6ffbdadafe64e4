/** Loading rows so that one bad value costs one value, or one row, instead of the chunk. */
import { AirbyteError, type Batch, type RecordBatch } from '../../protocol/index.ts'
import type { RejectedRow } from '../contract.ts'
import type { Layout } from './layout.ts'
import { toRecords } from './rows.ts'

/** Rejected rows that one chunk may have. */
export const MAX_REJECTS = 1000

export interface Isolated {
  rows: number
  rejects: RejectedRow[]
  /** Values that became null here. */
  nulled: number
}

/** What of it is the database's. */
export interface Isolation {
  /** Loads the part and returns how many rows that were, or leaves no trace of it and returns the objection to a value. */
  attempt(batch: RecordBatch): Promise<number | Error>
  /** The table's column that holds the value at fault in a batch of one row. */
  fieldAtFault(batch: RecordBatch, error: Error): string | undefined
}

/**
 * Loads the batches in parts; one that is refused is halved, down to the row. There the value at
 * fault becomes null with an entry in `_airbyte_meta.changes`; a row whose key or cursor is at fault,
 * or in which no value can be named, is rejected.
 */
export async function loadIsolated(
  layout: Layout,
  body: AsyncIterable<Batch>,
  { attempt, fieldAtFault }: Isolation,
): Promise<Isolated> {
  const result: Isolated = { rows: 0, rejects: [], nulled: 0 }
  const protectedColumns = new Set([...layout.keys, layout.cursor])

  async function load(batch: RecordBatch, nulled = 0): Promise<void> {
    if (batch.length === 0) return
    const outcome = await attempt(batch)
    if (typeof outcome === 'number') {
      result.rows += outcome
      result.nulled += nulled
      return
    }
    if (batch.length > 1) {
      const half = batch.length >> 1
      await load(slice(batch, 0, half))
      return load(slice(batch, half, batch.length))
    }
    const field = fieldAtFault(batch, outcome)
    // A null that is refused (NOT NULL, a CHECK) would be refused again.
    const hopeless = field === undefined || protectedColumns.has(field)
    if (hopeless || isNull(layout, batch, field)) return reject(batch, outcome, field)
    await load(withNull(layout, batch, field), nulled + 1)
  }

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
