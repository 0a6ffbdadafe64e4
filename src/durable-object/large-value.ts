import { stableJson } from '../protocol/index.ts'
import { concat } from '../staging/bytes.ts'

/** In a row: it may hold twice as much. */
const PIECE_BYTES = 1024 * 1024

/** The table of a large value. */
export const largeValueTable = (name: string) =>
  `create table ${name} (piece integer primary key, body blob not null);`

/**
 * A value of JSON that may be larger than a row, in a table of its own. It is written when it changes,
 * and read when its version is another than the last that was seen: whoever uses it keeps the version
 * in a small row, which may be written as often as one likes.
 */
export class LargeValue<T> {
  readonly #sql: SqlStorage
  readonly #table: string
  #known: { version: string; value: T } | undefined

  constructor(sql: SqlStorage, table: string) {
    this.#sql = sql
    this.#table = table
  }

  /** The value of this version: the one that was stored last. */
  of(version: string): T {
    if (this.#known?.version !== version) {
      const rows = this.#sql.exec(`select body from ${this.#table} order by piece`).toArray()
      const bytes = concat(rows.map(({ body }) => new Uint8Array(body as ArrayBuffer)))
      this.#known = { version, value: JSON.parse(new TextDecoder().decode(bytes)) as T }
    }
    return this.#known.value
  }

  /** Writes nothing while the value is the one of `stored`; returns the version of what is there now. */
  save(value: T, stored: string | undefined): string {
    if (stored !== undefined) {
      const known = this.of(stored)
      if (value === known || stableJson(value) === stableJson(known)) return stored
    }
    this.#sql.exec(`delete from ${this.#table}`)
    const bytes = new TextEncoder().encode(JSON.stringify(value))
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.slice(at, at + PIECE_BYTES)
      this.#sql.exec(`insert into ${this.#table} (body) values (?)`, piece.buffer)
    }
    const version = crypto.randomUUID()
    this.#known = { version, value }
    return version
  }
}
