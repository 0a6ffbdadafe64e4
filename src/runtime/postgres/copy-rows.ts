const TAB = 0x09
const NEWLINE = 0x0a

/** Byte range of the last row of COPY text that ends in a newline. */
export function lastRow(bytes: Uint8Array): [start: number, end: number] {
  return [bytes.lastIndexOf(NEWLINE, bytes.length - 2) + 1, bytes.length]
}

/**
 * Removes the last `count` fields of every row, in place; returns the shorter view.
 *
 * @example
 * dropLastFields(Buffer.from('a\tb\tc\n'), 1) // 'a\tb\n'
 */
export function dropLastFields(bytes: Uint8Array, count: number): Uint8Array {
  if (count === 0) return bytes
  let to = 0
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, start)
    let cut = end
    for (let left = count; left > 0 && cut > start; left--) cut = bytes.lastIndexOf(TAB, cut - 1)
    // A row whose fields are all dropped keeps its newline.
    if (cut < start) cut = start
    bytes.copyWithin(to, start, cut)
    to += cut - start
    bytes[to++] = NEWLINE
    start = end + 1
  }
  return bytes.subarray(0, to)
}
