/**
 * Which rows of a deduplicated stream stand. As in a table that is merged chunk by chunk:
 *
 * - of two rows with one key the one with the larger cursor stands, null being the smallest, and of
 *   equal cursors the one loaded later;
 * - a delete ends what was loaded for its key before it, whatever its cursor, which it may lack;
 * - a chunk with deletes is part of a change log, in commit order: of its rows with one key only
 *   the last counts.
 *
 * `latestByKeySql` says the same in SQL.
 */
import type { Cell, Column } from '../../../src/protocol/index.ts'
import { compareCells } from '../../../src/runtime/cell-order.ts'
import type { Cells } from './read-file.ts'
import type { Table } from './table.ts'

/** Keys held at once, some 100 bytes each. */
const KEYS_AT_ONCE = 250_000

/** In how many parts the keys of a stream of so many rows are looked at. */
export const partsOf = (rows: number): number => Math.max(1, Math.ceil(rows / KEYS_AT_ONCE))

interface Version {
  cursor: Cell
  /** Its number among all rows in the order of loading, or -1 for a delete. */
  place: number
}

/**
 * Finds the standing rows of one part of the keys. Give it every file in the order of loading.
 *
 * @example
 * const latest = new LatestRows(table, { part: 0, parts: 1 })
 * for await (const cells of readFile(store, entry, latest.columns)) {
 *   latest.add(cells, entry.deletes > 0)
 * }
 * latest.endFile()
 * latest.places() // [0, 17, 18]
 */
export class LatestRows {
  /** What `add` expects: the columns that decide. */
  readonly columns: Column[]
  private readonly cursorColumn: Column | undefined
  private readonly share: { part: number; parts: number }
  private readonly standing = new Map<string, Version>()
  /** Of a change log's file the last row of each key. */
  private readonly lastInFile = new Map<string, Version>()
  private next = 0

  constructor(table: Table, share: { part: number; parts: number }) {
    const { keys, deletedAt, cursor } = table
    this.cursorColumn = table.columns[cursor]
    this.columns = [deletedAt, ...(cursor < 0 ? [] : [cursor]), ...keys].flatMap(
      (i) => table.columns[i] ?? [],
    )
    this.share = share
  }

  add({ length, columns }: Cells, changeLog: boolean): void {
    const [deletedAt = [], ...rest] = columns
    const cursors = this.cursorColumn ? rest[0] : undefined
    const keys = this.cursorColumn ? rest.slice(1) : rest
    const { part, parts } = this.share
    for (let row = 0; row < length; row++) {
      const place = this.next++
      const key = keyOf(keys, row)
      if (parts > 1 && hash(key) % parts !== part) continue
      const deleted = deletedAt[row] !== null
      const version = { cursor: cursors?.[row] ?? null, place: deleted ? -1 : place }
      if (deleted) this.standing.delete(key)
      if (changeLog) this.lastInFile.set(key, version)
      else this.offer(key, version)
    }
  }

  endFile(): void {
    for (const [key, version] of this.lastInFile) {
      if (version.place >= 0) this.offer(key, version)
    }
    this.lastInFile.clear()
  }

  /** Numbers of the standing rows, ascending. */
  places(): Float64Array {
    return Float64Array.from(this.standing.values(), ({ place }) => place).sort()
  }

  private offer(key: string, version: Version): void {
    const found = this.standing.get(key)
    if (found && this.cursorColumn) {
      if (compareCells(this.cursorColumn, version.cursor, found.cursor) < 0) return
    }
    this.standing.set(key, version)
  }
}

const keyOf = (keys: Cell[][], row: number) =>
  keys.length === 1 ? String(keys[0]?.[row]) : JSON.stringify(keys.map((key) => String(key[row])))

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}
