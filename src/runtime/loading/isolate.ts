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
    // Of a row that has left the stream, whose key the table cannot hold, nothing is there.
    if (batch.op?.[0] === 'x') return
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

/** Loads the batches as they are, for as long as nothing of them is refused. */
export async function loadWhole(
  sink: { write(batch: Batch): Promise<void>; end(): Promise<number>; cancel(): Promise<void> },
  body: AsyncIterable<Batch>,
): Promise<Isolated> {
  try {
    for await (const batch of body) await sink.write(batch)
    return { rows: await sink.end(), rejects: [], nulled: 0 }
  } catch (error) {
    await sink.cancel()
    throw error
  }
}

/** What was loaded to be merged, after its merge, which may refuse rows too: at most so many. */
export async function merged(
  layout: Layout,
  { rows, rejects, nulled }: Isolated,
  merge: (maxRejects: number) => Promise<RejectedRow[]>,
): Promise<Isolated> {
  const maxRejects = MAX_REJECTS - rejects.length
  const refused = await merge(maxRejects)
  if (refused.length > maxRejects) throw tooManyRejects(layout)
  return { rows: rows - refused.length, rejects: [...rejects, ...refused], nulled }
}

/** What of halving a chunk in its incoming table is the database's. */
export interface Halving {
  /** Merges the rows with an order from one to the other, or leaves no trace of it and returns the objection to a value. */
  attempt(from: bigint, to: bigint): Promise<Error | null>
  /** The row of this order, which alone is refused. */
  rejected(at: bigint, error: Error): Promise<RejectedRow[]>
}

/** Halves a chunk, by the order in which its rows came, down to the rows that are refused. */
export async function refusedRows(
  [first, last]: [bigint, bigint],
  max: number,
  { attempt, rejected }: Halving,
): Promise<RejectedRow[]> {
  const rejects: RejectedRow[] = []
  async function load(from: bigint, to: bigint): Promise<void> {
    if (rejects.length > max) return
    const error = await attempt(from, to)
    if (!error) return
    if (from === to) {
      rejects.push(...(await rejected(from, error)))
      return
    }
    const middle = (from + to) / 2n
    await load(from, middle)
    await load(middle + 1n, to)
  }
  await load(first, last)
  return rejects
}

/** Does the work, or leaves no trace of it and returns the database's objection to a value. */
export async function underSavepoint(
  execute: (sql: string) => Promise<unknown>,
  isValueError: (error: unknown) => boolean,
  work: () => Promise<void>,
): Promise<Error | null> {
  await execute('SAVEPOINT part')
  try {
    await work()
    await execute('RELEASE SAVEPOINT part')
    return null
  } catch (error) {
    if (!isValueError(error)) throw error
    await execute('ROLLBACK TO SAVEPOINT part')
    await execute('RELEASE SAVEPOINT part')
    return error as Error
  }
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
