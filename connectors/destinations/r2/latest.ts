/**
 * Which rows of a deduplicated stream stand. As in a table that is merged chunk by chunk:
 *
 * - of two rows with one key the one with the larger cursor stands, null being the smallest, and of
 *   equal cursors the one loaded later; a delete is such a row;
 * - a delete without a cursor ends what was loaded for its key before it. A file that has one is in
 *   commit order, and of its rows with one key only the last counts;
 * - a truncate (a delete without a key) ends all rows that do not rank above it;
 * - a value that a change left out (`UNCHANGED`) is what the row had that stood for its key when the
 *   change came; null after a deletion.
 *
 * `latestByKeySql` says the same in SQL.
 */
import type { Cell, Column } from '../../../src/protocol/index.ts'
import { compareCells } from '../../../src/runtime/cell-order.ts'
import { isUnplaced, type LedgerEntry } from './document.ts'
import type { Cells } from './read-file.ts'
import { META, type Table } from './table.ts'
import { leftOutIn } from './unchanged.ts'

/** Keys held at once, some 100 bytes each. */
const KEYS_AT_ONCE = 250_000

/** In how many parts the keys of a stream of so many rows are looked at. */
export const partsOf = (rows: number): number => Math.max(1, Math.ceil(rows / KEYS_AT_ONCE))

interface Version {
  cursor: Cell
  /** Its number among all rows in the order of loading, or -1 for a delete. */
  place: number
  /** By number of the column asked for, the place of the row that has it; absent: its own. */
  told?: (number | undefined)[]
}

/** No row told the value: it is null. */
const NOWHERE = -1
/** What stood for the key before this file. */
const BEFORE = -2

/** The rows that stand. */
export interface Standing {
  /** Their numbers, ascending. */
  places: Float64Array
  /** Of those that left values out: by number of the column asked for the place that has the value, or -1. */
  told: Map<number, (number | undefined)[]>
}

/**
 * Finds the standing rows of one part of the keys. Give it every file in the order of loading.
 *
 * @example
 * const latest = new LatestRows(table, { part: 0, parts: 1 })
 * for await (const cells of readFile(store, entry, latest.columnsIn(entry))) {
 *   latest.add(cells, entry)
 * }
 * latest.endFile()
 * latest.standing().places // [0, 17, 18]
 */
export class LatestRows {
  /** The columns that decide. */
  private readonly columns: Column[]
  private readonly cursorColumn: Column | undefined
  private readonly share: { part: number; parts: number }
  private readonly wanted: string[]
  private readonly versions = new Map<string, Version>()
  /** Of a file with deletes without a cursor the last row of each key. */
  private readonly lastInFile = new Map<string, Version>()
  private truncated: Version = { cursor: null, place: -1 }
  private next = 0

  /** @param wanted columns of whose values it is asked where they are */
  constructor(table: Table, share: { part: number; parts: number }, wanted: string[] = []) {
    const { keys, deletedAt, cursor } = table
    this.cursorColumn = table.columns[cursor]
    this.columns = [deletedAt, ...(cursor < 0 ? [] : [cursor]), ...keys].flatMap(
      (i) => table.columns[i] ?? [],
    )
    this.share = share
    this.wanted = wanted
  }

  /** What `add` expects of a file: of one that left out values that are asked for, why cells are null too. */
  columnsIn({ unchanged = [] }: LedgerEntry): Column[] {
    return unchanged.some((name) => this.wanted.includes(name))
      ? [...this.columns, META_COLUMN]
      : this.columns
  }

  add({ length, columns }: Cells, entry: LedgerEntry): void {
    const [deletedAt = [], ...rest] = columns.slice(0, this.columns.length)
    const metas = columns[this.columns.length]
    const cursors = this.cursorColumn ? rest[0] : undefined
    const keys = this.cursorColumn ? rest.slice(1) : rest
    const { part, parts } = this.share
    const unplaced = isUnplaced(entry)
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
      const told = deleted ? undefined : this.toldBy(metas?.[row])
      const version = { cursor, place: deleted ? -1 : place, ...(told && { told }) }
      if (deleted && cursor === null) this.versions.delete(key)
      if (unplaced) this.lastInFile.set(key, completed(version, this.lastInFile.get(key), BEFORE))
      else this.offer(key, version)
    }
  }

  endFile(): void {
    for (const [key, version] of this.lastInFile) {
      if (version.place >= 0 || version.cursor !== null) this.offer(key, version)
    }
    this.lastInFile.clear()
  }

  standing(): Standing {
    const all = Float64Array.from(this.versions.values(), ({ place }) => place)
    const told: Standing['told'] = new Map()
    for (const version of this.versions.values()) {
      if (version.place >= 0 && version.told) told.set(version.place, version.told)
    }
    return { places: all.filter((place) => place >= 0).sort(), told }
  }

  private toldBy(meta: Cell | undefined): Version['told'] {
    const leftOut = leftOutIn(meta)
    if (leftOut.length === 0) return undefined
    return this.wanted.map((name) => (leftOut.includes(name) ? BEFORE : undefined))
  }

  private truncate(at: Version): void {
    this.truncated = at
    for (const versions of [this.versions, this.lastInFile]) {
      for (const [key, version] of versions) {
        if (at.cursor === null || this.compare(version, at) <= 0) versions.delete(key)
      }
    }
  }

  private offer(key: string, version: Version): void {
    if (this.truncated.cursor !== null && this.compare(version, this.truncated) < 0) return
    const found = this.versions.get(key)
    if (found && this.compare(version, found) < 0) return
    this.versions.set(key, completed(version, found, NOWHERE))
  }

  private compare(a: Version, b: Version): number {
    return this.cursorColumn ? compareCells(this.cursorColumn, a.cursor, b.cursor) : 0
  }
}

/** The version with what it left out as in the one before it, which may be a deletion. */
function completed(version: Version, before: Version | undefined, otherwise: number): Version {
  if (!version.told?.includes(BEFORE)) return version
  const told = version.told.map((place, i) => {
    if (place !== BEFORE) return place
    return before ? (before.told?.[i] ?? before.place) : otherwise
  })
  return { ...version, told }
}

const META_COLUMN: Column = { name: META, type: 'object' }

const keyOf = (keys: Cell[][], row: number) =>
  keys.length === 1 ? String(keys[0]?.[row]) : JSON.stringify(keys.map((key) => String(key[row])))

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}
