import { Buffer } from 'node:buffer'
import { ByteStream } from '../../runtime/mysql/byte-stream.ts'
import {
  type BinlogEvent,
  EVENT_SIZE,
  EVENT_TYPE,
  HEADER_BYTES,
  readEvent,
} from './binlog-event.ts'
import type { LeftOutOfRows } from './large-rows.ts'
import { ROWS, type RowsType } from './row-events.ts'
import type { TableChanges } from './table-changes.ts'

/** As much of an event as is needed to know what it does, if it has no rows. */
const BEGINNING_BYTES = 64 << 10

/**
 * An event that is too large to hold, with the byte that comes before it, as it comes: without the
 * values that make it so. Without tables, and of what has no rows, its beginning alone.
 */
export async function readLargeEvent(
  pieces: AsyncIterable<Uint8Array>,
  checksum: number,
  tables: TableChanges | undefined,
): Promise<{ event: BinlogEvent; rows: RowsType | undefined; leftOut: LeftOutOfRows | undefined }> {
  const stream = new ByteStream(pieces)
  await stream.skip(1)
  const header = await stream.take(HEADER_BYTES)
  const size = header.readUInt32LE(EVENT_SIZE) - checksum
  const type = ROWS[header[EVENT_TYPE] as number]
  const { event, leftOut } =
    type && tables
      ? await tables.smaller(header, stream, size + 1, type)
      : { event: await beginningOf(header, stream, size), leftOut: undefined }
  await stream.end()
  const rows = type && { ...type, compressed: undefined }
  return { event: readEvent(event, 0, event.length, 0), rows, leftOut }
}

async function beginningOf(header: Buffer, stream: ByteStream, size: number): Promise<Buffer> {
  return Buffer.concat([header, await stream.take(Math.min(size - HEADER_BYTES, BEGINNING_BYTES))])
}
