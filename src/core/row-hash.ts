/**
 * The row hash of receipts: a sum, modulo 2^128, of one 64-bit hash per row, so that order does not
 * matter and duplicates do not cancel out. A row is its line of PostgreSQL COPY text without the
 * newline; the hash is Bob Jenkins' lookup3 as PostgreSQL's `hashtextextended(line, 0)` computes it,
 * so a destination can be compared in SQL as well as by reading it back.
 *
 * @see https://burtleburtle.net/bob/c/lookup3.c
 */
export interface RowHash {
  rows: number
  sum: bigint
}

export const emptyRowHash = (): RowHash => ({ rows: 0, sum: 0n })

const MODULUS = 1n << 128n
/** Rows whose 32-bit halves can be summed in a double without losing a bit. */
const EXACT_ROWS = 1 << 20

/** Adds whole rows (each ending in a newline) to the sum. */
export function addRows(hash: RowHash, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let start = 0
  while (start < bytes.length) {
    let high = 0
    let low = 0
    let rows = 0
    while (rows < EXACT_ROWS) {
      const end = bytes.indexOf(10, start)
      if (end < 0) break
      hashBytes(view, bytes, start, end - start)
      high += out[0] as number
      low += out[1] as number
      rows++
      start = end + 1
    }
    if (rows === 0) throw new RangeError('the last row has no newline')
    hash.rows += rows
    hash.sum = (hash.sum + (BigInt(high) << 32n) + BigInt(low)) % MODULUS
  }
}

/** 32 hex digits. */
export const formatRowHash = (hash: RowHash) => hash.sum.toString(16).padStart(32, '0')

/** The sum of sums, for chunks added one after another. */
export const addHashes = (a: string, b: string) =>
  ((BigInt(`0x${a}`) + BigInt(`0x${b}`)) % MODULUS).toString(16).padStart(32, '0')

/** The 64-bit hash of one line, unsigned. */
export function hashLine(line: Uint8Array): bigint {
  hashBytes(new DataView(line.buffer, line.byteOffset, line.byteLength), line, 0, line.length)
  return (BigInt(out[0] as number) << 32n) | BigInt(out[1] as number)
}

/** Result of `hashBytes`: the high and the low 32 bits. A module-level pair, so that no row allocates. */
const out = new Uint32Array(2)

function hashBytes(view: DataView, bytes: Uint8Array, start: number, length: number): void {
  let a = (0x9e3779b9 + length + 3923095) | 0
  let b = a
  let c = a
  let at = start
  let left = length
  while (left >= 12) {
    a = (a + view.getInt32(at, true)) | 0
    b = (b + view.getInt32(at + 4, true)) | 0
    c = (c + view.getInt32(at + 8, true)) | 0
    a = (a - c) ^ ((c << 4) | (c >>> 28))
    c = (c + b) | 0
    b = (b - a) ^ ((a << 6) | (a >>> 26))
    a = (a + c) | 0
    c = (c - b) ^ ((b << 8) | (b >>> 24))
    b = (b + a) | 0
    a = (a - c) ^ ((c << 16) | (c >>> 16))
    c = (c + b) | 0
    b = (b - a) ^ ((a << 19) | (a >>> 13))
    a = (a + c) | 0
    c = (c - b) ^ ((b << 4) | (b >>> 28))
    b = (b + a) | 0
    at += 12
    left -= 12
  }
  // The tail: PostgreSQL leaves the lowest byte of c for the length, so c's bytes start at bit 8.
  for (let i = left - 1; i >= 8; i--) c = (c + ((bytes[at + i] as number) << ((i - 7) << 3))) | 0
  for (let i = Math.min(left, 8) - 1; i >= 4; i--) {
    b = (b + ((bytes[at + i] as number) << ((i - 4) << 3))) | 0
  }
  for (let i = Math.min(left, 4) - 1; i >= 0; i--) {
    a = (a + ((bytes[at + i] as number) << (i << 3))) | 0
  }
  c = (c ^ b) - ((b << 14) | (b >>> 18))
  a = (a ^ c) - ((c << 11) | (c >>> 21))
  b = (b ^ a) - ((a << 25) | (a >>> 7))
  c = (c ^ b) - ((b << 16) | (b >>> 16))
  a = (a ^ c) - ((c << 4) | (c >>> 28))
  b = (b ^ a) - ((a << 14) | (a >>> 18))
  c = (c ^ b) - ((b << 24) | (b >>> 8))
  out[0] = b
  out[1] = c
}
