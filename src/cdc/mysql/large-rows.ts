/** Row events that are too large to hold: they are made smaller as they come. */
import { Buffer } from 'node:buffer'
import { fits } from '../../runtime/database/large-values.ts'
import { decompress } from '../../runtime/declarative/decoders/gzip.ts'
import { ByteStream } from '../../runtime/mysql/byte-stream.ts'
import type { RowShape } from './row-shape.ts'

/** Values that are null in an image because they are too large: by the image's place, then the column's. */
export type LeftOutOfRows = Map<number, Map<number, number>>

export interface CutRows {
  bytes: Buffer
  leftOut: LeftOutOfRows
}

/**
 * The row images that the stream has up to `end`, in which values that would carry them beyond the
 * limit are null. Of the image before an update only small values are kept: the key is wanted of it.
 */
export async function cutRows(
  stream: ByteStream,
  end: number,
  fields: RowShape['fields'],
  isUpdate: boolean,
): Promise<CutRows> {
  const kept: Buffer[] = []
  const leftOut: LeftOutOfRows = new Map()
  let at = 0
  const keep = (bytes: Buffer) => {
    kept.push(bytes)
    at += bytes.length
  }
  for (let image = 0; stream.taken < end; image++) {
    const place = at
    const isBefore = isUpdate && image % 2 === 0
    const nulls = Buffer.from(await stream.take((fields.length + 7) >> 3))
    keep(nulls)
    for (let f = 0; f < fields.length; f++) {
      const { span, target } = fields[f] as (typeof fields)[0]
      const bit = 1 << (f & 7)
      if (((nulls[f >> 3] as number) & bit) !== 0) continue
      const prefix = await stream.take(span.lengthBytes)
      const size = prefix.length > 0 ? prefix.readUIntLE(0, prefix.length) : span.size
      if (fits(isBefore || target < 0 ? Infinity : at, size)) {
        keep(prefix)
        keep(await stream.take(size))
        continue
      }
      await stream.skip(size)
      nulls[f >> 3] = (nulls[f >> 3] as number) | bit
      leftOut.set(place, (leftOut.get(place) ?? new Map()).set(f, size))
    }
  }
  return { bytes: Buffer.concat(kept), leftOut }
}

/** How many bytes MariaDB says that compressed ones are, and where they begin. */
export function compressedHead(bytes: Buffer): { length: number; start: number } {
  const lengthBytes = (bytes[0] as number) & 7
  return { length: bytes.readUIntBE(1, lengthBytes), start: 1 + lengthBytes }
}

/** The same bytes as MariaDB had them before it compressed them. */
export async function inflating(
  stream: ByteStream,
): Promise<{ stream: ByteStream; length: number }> {
  const [first = 0] = await stream.take(1)
  const head = Buffer.concat([Buffer.of(first), await stream.take(first & 7)])
  const { length } = compressedHead(head)
  return { stream: new ByteStream(decompress(stream.rest(), 'deflate')), length }
}
