/** Loading rows so that one bad value costs one value, or one row, instead of the chunk. */
import { AirbyteError, type Batch, childOf, type RecordBatch } from '../../protocol/index.ts'
import { rowsBetween, withRows } from '../batch-rows.ts'
import type { RejectedRow } from '../contract.ts'
import { rejectedRow } from '../row-text.ts'
import { type Layout, layoutFor } from './layout.ts'
import { toRecords } from './rows.ts'

/** Rejected rows that one chunk may have. */
export const MAX_REJECTS = 1000

export interface Isolated {
  rows: number
  rejects: RejectedRow[]
  /** Values that became null here. */
  nulled: number
}

/** What of it is the database's; `own` is the table that the rows belong to. */
export interface Isolation {
  /** Loads the part and returns how many rows that were, or leaves no trace of it and returns the objection to a value. */
  attempt(batch: RecordBatch, own: Layout): Promise<number | Error>
  /** The table's column that holds the value at fault in a batch of one row. */
  fieldAtFault(batch: RecordBatch, error: Error, own: Layout): string | undefined
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
  /** Ids of rejected rows: what hangs on them goes with them. */
  const gone = new Set<string>()

  async function load(own: Layout, batch: RecordBatch, nulled = 0): Promise<void> {
    if (batch.length === 0) return
    const outcome = await attempt(batch, own)
    if (typeof outcome === 'number') {
      if (batch.child === undefined) result.rows += outcome
      result.nulled += nulled
      return
    }
    if (batch.length > 1) {
      const half = batch.length >> 1
      await load(own, rowsBetween(batch, 0, half))
      return load(own, rowsBetween(batch, half, batch.length))
    }
    const field = fieldAtFault(batch, outcome, own)
    // A null that is refused (NOT NULL, a CHECK) would be refused again.
    const hopeless = field === undefined || [...own.keys, own.cursor].includes(field)
    if (hopeless || isNull(own, batch, field)) return reject(batch, outcome, field)
    await load(own, withNull(own, batch, field), nulled + 1)
  }

  function reject(batch: RecordBatch, error: Error, field: string | undefined): void {
    for (const id of batch.rowIds ?? []) gone.add(id)
    const why = { reason: error.message, ...(field === undefined ? {} : { field }) }
    result.rejects.push(rejectedRow(batch, 0, why))
    if (result.rejects.length > MAX_REJECTS) throw tooManyRejects(layout)
  }

  for await (const batch of body) {
    const own = layoutFor(layout, childOf(batch))
    await load(own, without(gone, toRecords(own, batch)))
  }
  return result
}

/** The rows that belong to none of these. */
function without(gone: Set<string>, batch: RecordBatch): RecordBatch {
  if (batch.child === undefined || gone.size === 0) return batch
  const [parents = [], roots = []] = batch.columns
  return withRows(batch, (row) => {
    const hangs = gone.has(String(parents[row])) || gone.has(String(roots[row]))
    const id = batch.rowIds?.[row]
    if (hangs && id !== undefined) gone.add(id)
    return !hangs
  })
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
