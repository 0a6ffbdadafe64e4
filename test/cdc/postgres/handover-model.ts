import {
  type ChangeBatch,
  type ChangeOrder,
  compareOrder,
  isUnchanged,
  type Lsn,
  orderOf,
  SNAPSHOT_ORDER,
} from '../../../src/cdc/postgres/index.ts'
import type { Cell } from '../../../src/protocol/index.ts'

/**
 * How snapshot and log become one table: what every destination must arrive at.
 *
 * The slot is made before the first row of the snapshot is read, so the log holds every change that a
 * snapshot may have missed. The snapshot is many reads, at many times, of a table that is written to.
 *
 * 1. All snapshot rows rank below all changes, whenever either was read. A position of the log taken
 *    beside a read is no fence: a commit that waits for its standby is in the log and not yet visible.
 * 2. Changes apply in the order of (commit, sequence). Each is then applied over a row that may come
 *    from its future; what it does not mention is right in the end, since later changes mention it.
 * 3. A delete leaves a tombstone, a truncate removes what is below it: a replay resurrects nothing.
 * 4. A value left out as unchanged is what the row had before: on the same key always (2). Where the
 *    row came from another key, that key's snapshot row may be of a *later* row with that key, and this
 *    value would stay. It is taken only if it came from the log, or was read before the move was
 *    committed: a commit beyond the end of the log at the end of the read cannot have been seen.
 *    Otherwise it is missing, and the row is read again from the source by its new key (`repair`).
 * 5. The table is right once nothing is missing and the log is applied up to its end as it stood after
 *    the last read, repairs included.
 */
export interface Handover {
  /**
   * Rows that one read of the source gave, in the order of the columns. `readBy`: the end of the log
   * (`pg_current_wal_insert_lsn`) asked for after the read. All of the snapshot comes before the changes.
   */
  snapshot(rows: Cell[][], readBy: Lsn): void
  /** Changes in their order; those seen before are passed over. */
  apply(batch: ChangeBatch): void
  truncate(order: ChangeOrder): void
  /** Keys of rows that lack a value: read them again. */
  missing(): Cell[][]
  /** What such a read gave. Rows that are gone need not be told: the log will. */
  repair(rows: Cell[][], readBy: Lsn): void
  /** The table, in no order. */
  rows(): Cell[][]
}

interface Row {
  cells: Cell[]
  /** By column: the end of the log when the value was read; 0: the log told it. Undefined: missing. */
  readBy: (Lsn | undefined)[]
  order: ChangeOrder
}

const FROM_LOG: Lsn = 0n

/**
 * The table in memory, by the key's places among `width` columns. Destinations do the same with
 * statements; tests compare with this.
 *
 * @example
 * const table = createHandover([0], 3)
 * table.snapshot([[1, 'a', null]], readBy)
 * table.apply(batch)
 */
export function createHandover(key: number[], width: number): Handover {
  const rows = new Map<string, Row>()
  const tombstones = new Map<string, ChangeOrder>()
  let truncated = SNAPSHOT_ORDER

  const keyOf = (cells: Cell[]) => key.map((at) => `${cells[at]}`.replaceAll('|', '||')).join('|,')
  const seen = (id: string, order: ChangeOrder) => {
    const last = rows.get(id)?.order ?? tombstones.get(id)
    return (
      compareOrder(order, truncated) <= 0 || (last !== undefined && compareOrder(order, last) <= 0)
    )
  }

  function upsert(batch: ChangeBatch, row: number, cells: Cell[], order: ChangeOrder, old?: Row) {
    const id = keyOf(cells)
    const moved = batch.movedFrom?.has(row) ?? false
    const before = moved ? old : rows.get(id)
    const readBy: Row['readBy'] = cells.map(() => FROM_LOG)
    for (let column = 0; column < width; column++) {
      if (!isUnchanged(batch, column, row)) continue
      const since = before?.readBy[column]
      const known = since !== undefined && (!moved || since <= order.commit)
      cells[column] = known ? (before?.cells[column] ?? null) : null
      readBy[column] = known ? since : undefined
    }
    tombstones.delete(id)
    rows.set(id, { cells, readBy, order })
  }

  return {
    snapshot(read, readBy) {
      for (const cells of read) {
        const row: Row = {
          cells: [...cells],
          readBy: cells.map(() => readBy),
          order: SNAPSHOT_ORDER,
        }
        rows.set(keyOf(cells), row)
      }
    },

    apply(batch) {
      let old: Row | undefined
      for (let row = 0; row < batch.length; row++) {
        const cells = Array.from(
          { length: width },
          (_, column) => batch.columns[column]?.[row] ?? null,
        )
        const id = keyOf(cells)
        const order = orderOf(batch, row)
        if (seen(id, order)) continue
        if (batch.op[row] === 'd') {
          old = rows.get(id)
          rows.delete(id)
          tombstones.set(id, order)
        } else upsert(batch, row, cells, order, old)
      }
    },

    truncate(order) {
      if (compareOrder(order, truncated) <= 0) return
      truncated = order
      for (const [id, row] of rows) if (compareOrder(row.order, order) < 0) rows.delete(id)
    },

    missing: () =>
      [...rows.values()]
        .filter(({ readBy }) => readBy.includes(undefined))
        .map(({ cells }) => key.map((at) => cells[at] as Cell)),

    repair(read, readBy) {
      for (const cells of read) {
        const row = rows.get(keyOf(cells))
        row?.readBy.forEach((since, column) => {
          if (since !== undefined) return
          row.cells[column] = cells[column] as Cell
          row.readBy[column] = readBy
        })
      }
    },

    rows: () => [...rows.values()].map(({ cells }) => cells),
  }
}
