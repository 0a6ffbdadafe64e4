/**
 * Synthetic rows for the mocks of vendors' APIs: made by small functions, the same in every run.
 * Nothing here was ever anybody's data.
 */

const BEGINNING = Date.UTC(2026, 0, 1)

/** The time at which the tests of declarative connectors stand still: a year later. */
export const NOW = Date.UTC(2027, 0, 1)

/** `n` hours after the beginning of 2026, as `2026-01-01T05:00:00Z`. */
export const hour = (n: number): string => `${new Date(hourMs(n)).toISOString().slice(0, 19)}Z`

/** The same in epoch milliseconds. */
export const hourMs = (n: number): number => BEGINNING + n * 3_600_000

/** The same in epoch seconds. */
export const hourSeconds = (n: number): number => hourMs(n) / 1000

/** A hexadecimal digest of a name, of the length of a Git commit's. */
export function digest(name: string, length = 40): string {
  let text = ''
  for (let round = 0; text.length < length; round++) text += fnv(`${round} ${name}`)
  return text.slice(0, length)
}

/** A UUID that follows from a name. */
export function uuid(name: string): string {
  const hex = digest(name, 32)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
}

function fnv(text: string): string {
  let hash = 0x811c9dc5
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0
  // Short names differ in few bits: mix them.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0
  return (hash ^ (hash >>> 13)).toString(16).padStart(8, '0').slice(-8)
}

/** Rows of one kind that a mock holds; the n-th is made the same each time. */
export class Collection<Row extends object> {
  readonly rows: Row[]
  readonly #make: (n: number) => Row
  readonly #edit: ((row: Row, at: number) => void) | undefined
  #next: number

  /**
   * @param make the n-th row, `n` also being the hour at which it was made
   * @param edit changes a row at an hour as the vendor would, with or without moving its cursor
   */
  constructor(count: number, make: (n: number) => Row, edit?: (row: Row, at: number) => void) {
    this.rows = Array.from({ length: count }, (_, n) => make(n))
    this.#make = make
    this.#edit = edit
    this.#next = count
  }

  /** Adds rows whose hours lie beyond those of all others. */
  grow(count = 3): void {
    for (let added = 0; added < count; added++) this.rows.push(this.#make(this.#next++))
  }

  /** Changes a row, at an hour beyond all others. */
  touch(index = 0): void {
    const row = this.rows[index]
    if (!row || !this.#edit) throw new Error('nothing to change')
    this.#edit(row, this.#next++)
  }
}
