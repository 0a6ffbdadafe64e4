import { Buffer } from 'node:buffer'
import { AirbyteError } from '../../protocol/index.ts'
import { fits, type LeftOut } from '../database/large-values.ts'
import { ByteStream } from './byte-stream.ts'
import { serverError } from './errors.ts'
import type { PacketReader } from './packet-reader.ts'
import { PacketCursor } from './wire.ts'

/**
 * Rows of the text protocol where they lie: field `c` of row `r` is `bytes[starts[i]..ends[i])` with
 * `i = r * width + c`; a start of -1 is NULL. Valid until the next block is asked for.
 */
export interface RowBlock {
  bytes: Buffer
  width: number
  starts: Int32Array
  ends: Int32Array
  rows: number
  /** Fields that are NULL here because they are too large to hold. */
  leftOut?: LeftOut[]
}

const MAX_ROWS = 4096
const END_OF_ROWS = 0xfe
const ERROR = 0xff
const NULL_FIELD = 0xfb
/** An end is shorter than this; a row may begin with the same byte, for a length of eight bytes. */
const END_BELOW = 9

/** The rows of one result, in blocks of what came together. Nothing is made per row. */
export async function* rowBlocks(reader: PacketReader, width: number): AsyncGenerator<RowBlock> {
  const block: RowBlock = {
    bytes: reader.bytes,
    width,
    starts: new Int32Array(width * MAX_ROWS),
    ends: new Int32Array(width * MAX_ROWS),
    rows: 0,
  }
  for (;;) {
    block.rows = 0
    while (!reader.isSpread && reader.tryNext()) {
      const first = reader.bytes[reader.start]
      if (first === END_OF_ROWS && reader.end - reader.start < END_BELOW) {
        if (block.rows > 0) yield block
        return
      }
      if (first === ERROR) {
        const packet = reader.cursor()
        packet.at++
        throw serverError(packet)
      }
      if (block.rows === MAX_ROWS || (block.rows > 0 && block.bytes !== reader.bytes)) {
        yield block
        block.rows = 0
      }
      block.bytes = reader.bytes
      findFields(block, reader)
      block.rows++
    }
    if (block.rows > 0) yield block
    if (reader.isSpread) yield await spreadRow(reader, width)
    else await reader.fill()
  }
}

/** A row that is spread over several packets, as a block of its own: what is too large of it is passed over. */
async function spreadRow(reader: PacketReader, width: number): Promise<RowBlock> {
  const stream = new ByteStream(reader.pieces())
  const starts = new Int32Array(width).fill(-1)
  const ends = new Int32Array(width).fill(-1)
  const kept: Buffer[] = []
  const leftOut: LeftOut[] = []
  let at = 0
  for (let field = 0; field < width; field++) {
    const length = await fieldLength(stream)
    if (length === null) continue
    if (!fits(at, length)) {
      leftOut.push({ row: 0, field, bytes: length })
      await stream.skip(length)
      continue
    }
    kept.push(await stream.take(length))
    starts[field] = at
    at += length
    ends[field] = at
  }
  await stream.end()
  return { bytes: Buffer.concat(kept), width, starts, ends, rows: 1, leftOut }
}

async function fieldLength(stream: ByteStream): Promise<number | null> {
  const [first = 0] = await stream.take(1)
  if (first < NULL_FIELD) return first
  if (first === NULL_FIELD) return null
  const size = first === 0xfc ? 2 : first === 0xfd ? 3 : 8
  return new PacketCursor(
    Buffer.concat([Buffer.of(first), await stream.take(size)]),
    0,
    size + 1,
  ).length()
}

function findFields({ bytes, width, starts, ends, rows }: RowBlock, reader: PacketReader): void {
  let at = reader.start
  let index = rows * width
  for (let field = 0; field < width; field++, index++) {
    let length = bytes[at++] as number
    if (length === NULL_FIELD) {
      starts[index] = -1
      continue
    }
    if (length === 0xfc) {
      length = bytes.readUInt16LE(at)
      at += 2
    } else if (length === 0xfd) {
      length = bytes.readUIntLE(at, 3)
      at += 3
    } else if (length === 0xfe) {
      length = Number(bytes.readBigUInt64LE(at))
      at += 8
    }
    starts[index] = at
    at += length
    ends[index] = at
  }
  if (at !== reader.end) throw new AirbyteError('INTERNAL', 'A row does not end with its packet.')
}

/** One field as text; null for NULL. */
export function fieldText({ bytes, width, starts, ends }: RowBlock, row: number, field: number) {
  const index = row * width + field
  const start = starts[index] as number
  return start < 0 ? null : bytes.toString('utf8', start, ends[index])
}

/** One field as hexadecimal digits; null for NULL. */
export function fieldHex({ bytes, width, starts, ends }: RowBlock, row: number, field: number) {
  const index = row * width + field
  const start = starts[index] as number
  return start < 0 ? null : bytes.toString('hex', start, ends[index])
}
