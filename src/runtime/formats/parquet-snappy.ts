/**
 * Snappy block compression. The library's own is half of the time that a file takes, because it
 * writes through a growing buffer byte by byte; this one writes where the bytes will stay.
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 */
const FRAGMENT_BYTES = 65_536
const TABLE_BITS = 14
/** A match is sought up to this close to the end: hashing reads four bytes ahead. */
const MARGIN = 15
/** Literals up to this long are copied by a loop: a call into `set` costs more. */
const SHORT_LITERAL = 24

const table = new Uint16Array(1 << TABLE_BITS)

/** Bytes that `length` bytes of any content take at most. */
export const snappyBound = (length: number): number => 32 + length + Math.ceil(length / 6)

/** The compressed bytes, at the start of `output`, which must have `snappyBound` bytes. */
export function snappyCompress(
  input: Uint8Array,
  output: Uint8Array = new Uint8Array(snappyBound(input.length)),
): Uint8Array {
  let at = 0
  let rest = input.length
  for (; rest > 127; rest >>>= 7) output[at++] = (rest & 127) | 128
  output[at++] = rest
  for (let from = 0; from < input.length; from += FRAGMENT_BYTES) {
    const to = Math.min(input.length, from + FRAGMENT_BYTES)
    at = compressFragment(input, from, to, output, at)
  }
  return output.subarray(0, at)
}

/** Offsets stay below 64 KiB because a match is only sought within the fragment. */
function compressFragment(
  input: Uint8Array,
  from: number,
  to: number,
  output: Uint8Array,
  start: number,
): number {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  const limit = to - MARGIN
  let at = start
  let literal = from
  let position = from + 1
  if (position <= limit) table.fill(0)
  search: while (position <= limit) {
    let skip = 32
    let candidate: number
    let four: number
    for (;;) {
      four = view.getInt32(position, true)
      const slot = Math.imul(four, 0x1e35a7bd) >>> (32 - TABLE_BITS)
      candidate = from + (table[slot] as number)
      table[slot] = position - from
      if (candidate < position && view.getInt32(candidate, true) === four) break
      // The longer nothing is found, the larger the steps: random bytes pass quickly.
      position += skip++ >>> 5
      if (position > limit) break search
    }
    at = writeLiteral(input, literal, position, output, at)
    let end = position + 4
    for (let match = candidate + 4; end < to && input[end] === input[match]; match++) end++
    at = writeCopy(position - candidate, end - position, output, at)
    position = literal = end
  }
  return writeLiteral(input, literal, to, output, at)
}

function writeLiteral(
  input: Uint8Array,
  from: number,
  to: number,
  output: Uint8Array,
  start: number,
): number {
  const length = to - from
  if (length === 0) return start
  let at = start
  if (length <= 60) output[at++] = (length - 1) << 2
  else if (length <= 256) {
    output[at++] = 60 << 2
    output[at++] = length - 1
  } else {
    output[at++] = 61 << 2
    output[at++] = (length - 1) & 255
    output[at++] = (length - 1) >>> 8
  }
  if (length > SHORT_LITERAL) output.set(input.subarray(from, to), at)
  else for (let i = 0; i < length; i++) output[at + i] = input[from + i] as number
  return at + length
}

function writeCopy(offset: number, length: number, output: Uint8Array, start: number): number {
  let at = start
  let left = length
  while (left > 0) {
    // A copy is of 1 to 64 bytes; the last one is left at least 4, which the short form needs.
    const now = left <= 64 ? left : left < 68 ? 60 : 64
    if (now >= 4 && now < 12 && offset < 2048) {
      output[at++] = 1 | ((now - 4) << 2) | ((offset >>> 8) << 5)
      output[at++] = offset & 255
    } else {
      output[at++] = 2 | ((now - 1) << 2)
      output[at++] = offset & 255
      output[at++] = offset >>> 8
    }
    left -= now
  }
  return at
}
