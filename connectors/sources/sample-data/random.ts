/**
 * 32 random bits as a pure function of a key and a counter: any row can be made without those
 * before it. (The finalizer of MurmurHash3 over a multiplied counter; not for secrets.)
 */
export function bitsAt(key: number, counter: number): number {
  let h = key ^ Math.imul(counter, 0x9e3779b1)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** The key of a column: its name and the seed, hashed (FNV-1a). */
export function keyOf(seed: number, name: string): number {
  let h = bitsAt(0x811c9dc5, seed)
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193)
  return h >>> 0
}

/** More bits from bits, for cells that need more than 32. */
export const more = (bits: number, n: number) => bitsAt(bits, n)

/** An element of a list, by bits. */
export const pick = <T>(list: readonly T[], bits: number): T => list[bits % list.length] as T

/** An integer from `low` to `high`, both included. */
export const between = (low: number, high: number, bits: number) => low + (bits % (high - low + 1))
