/**
 * Which rows of a deduplicated stream stand. As in a table that is merged chunk by chunk:
 *
 * - of two rows with one key the one with the larger cursor stands, null being the smallest, and of
 *   equal cursors the one loaded later; a delete is such a row;
 * - a delete without a cursor ends what was loaded for its key before it. A file that has one is in
 *   commit order, and of its rows with one key only the last counts;
 * - a truncate (a delete without a key) ends all rows that do not rank above it.
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
 *   latest.add(cells, isUnplaced(entry))
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
  /** Of a file with deletes without a cursor the last row of each key. */
  private readonly lastInFile = new Map<string, Version>()
  private truncated: Version = { cursor: null, place: -1 }
  private next = 0

  constructor(table: Table, share: { part: number; parts: number }) {
    const { keys, deletedAt, cursor } = table
    this.cursorColumn = table.columns[cursor]
    this.columns = [deletedAt, ...(cursor < 0 ? [] : [cursor]), ...keys].flatMap(
      (i) => table.columns[i] ?? [],
    )
    this.share = share
  }

  /** @param unplaced the file has deletes without a cursor */
  add({ length, columns }: Cells, unplaced: boolean): void {
    const [deletedAt = [], ...rest] = columns
    const cursors = this.cursorColumn ? rest[0] : undefined
    const keys = this.cursorColumn ? rest.slice(1) : rest
    const { part, parts } = this.share
    for (let row = 0; row < length; row++) {
      const place = this.next++
      const cursor = cursors?.[row] ?? null
      const deleted = deletedAt[row] !== null
      if (deleted && keys.some((key) => key[row] === null)) {
        this.truncate({ cursor, place })
        continue
      }
      const key = keyOf(keys, row)
      if (parts > 1 && hash(key) % parts !== part) continue
      const version = { cursor, place: deleted ? -1 : place }
      if (deleted && cursor === null) this.standing.delete(key)
      if (unplaced) this.lastInFile.set(key, version)
      else this.offer(key, version)
    }
  }

  endFile(): void {
    for (const [key, version] of this.lastInFile) {
      if (version.place >= 0 || version.cursor !== null) this.offer(key, version)
    }
    this.lastInFile.clear()
  }

  /** Numbers of the standing rows, ascending. */
  places(): Float64Array {
    const places = Float64Array.from(this.standing.values(), ({ place }) => place)
    return places.filter((place) => place >= 0).sort()
  }

  private truncate(at: Version): void {
    this.truncated = at
    for (const versions of [this.standing, this.lastInFile]) {
      for (const [key, version] of versions) {
        if (at.cursor === null || this.compare(version, at) <= 0) versions.delete(key)
      }
    }
  }

  private offer(key: string, version: Version): void {
    if (this.truncated.cursor !== null && this.compare(version, this.truncated) < 0) return
    const found = this.standing.get(key)
    if (found && this.compare(version, found) < 0) return
    this.standing.set(key, version)
  }

  private compare(a: Version, b: Version): number {
    return this.cursorColumn ? compareCells(this.cursorColumn, a.cursor, b.cursor) : 0
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
