/** Events that hold rows: which there are, and what their bytes are before they are rows. */
import { Buffer } from 'node:buffer'
import { inflateSync } from 'node:zlib'
import type { ByteStream } from '../../runtime/mysql/byte-stream.ts'
import { PacketCursor } from '../../runtime/mysql/wire.ts'
import { type BinlogEvent, EVENT } from './binlog-event.ts'
import { type CutRows, compressedHead, cutRows, inflating } from './large-rows.ts'
import type { RowShape } from './row-shape.ts'

export type RowOperation = 'write' | 'update' | 'delete'

export interface RowsType {
  operation: RowOperation
  /** Has a part for extensions between header and rows. */
  extended?: true
  compressed?: true
}

export const ROWS: Record<number, RowsType | undefined> = {
  [EVENT.writeRowsV1]: { operation: 'write' },
  [EVENT.updateRowsV1]: { operation: 'update' },
  [EVENT.deleteRowsV1]: { operation: 'delete' },
  [EVENT.writeRows]: { operation: 'write', extended: true },
  [EVENT.updateRows]: { operation: 'update', extended: true },
  [EVENT.deleteRows]: { operation: 'delete', extended: true },
  [EVENT.writeRowsCompressed]: { operation: 'write', compressed: true },
  [EVENT.updateRowsCompressed]: { operation: 'update', compressed: true },
  [EVENT.deleteRowsCompressed]: { operation: 'delete', compressed: true },
}

/** Images of a row that an event has. */
export const imagesOf = ({ operation }: RowsType) => (operation === 'update' ? 2 : 1)

/** What servers number rows of no table with: the end of a statement whose tables nobody replicates. */
export const DUMMY_TABLE = 0xffffff

/** The number of the table that an event describes, or has rows of. */
export const tableOf = ({ bytes, start }: Pick<BinlogEvent, 'bytes' | 'start'>): number =>
  bytes.readUIntLE(start, 6)

/** What an event of rows has before them: its table, extensions, the columns of its images. */
export async function takeHead(
  stream: ByteStream,
  type: RowsType,
): Promise<{ table: number; bytes: Buffer; columns: Buffer }> {
  const table = await stream.take(6)
  const parts = [table, await stream.take(2)]
  if (type.extended) {
    const length = await stream.take(2)
    parts.push(length, await stream.take(length.readUInt16LE(0) - 2))
  }
  const columns = await takeColumns(stream, type)
  return { table: table.readUIntLE(0, 6), bytes: Buffer.concat([...parts, columns]), columns }
}

/** The number of columns, and which of them the images have. */
async function takeColumns(stream: ByteStream, type: RowsType): Promise<Buffer> {
  const first = await stream.take(1)
  const more = first[0] === 0xfc ? await stream.take(2) : Buffer.alloc(0)
  const count = Buffer.concat([first, more])
  const width = new PacketCursor(count).length() ?? 0
  return Buffer.concat([count, await stream.take(((width + 7) >> 3) * imagesOf(type))])
}

/** The rows of an event, made smaller. */
export async function cutEvent(
  stream: ByteStream,
  end: number,
  type: RowsType,
  { fields }: RowShape,
): Promise<CutRows> {
  const isUpdate = type.operation === 'update'
  if (!type.compressed) return cutRows(stream, end, fields, isUpdate)
  const inflated = await inflating(stream)
  return cutRows(inflated.stream, inflated.length, fields, isUpdate)
}

/** MariaDB's compression: a byte with the size of the length, the length, then zlib's bytes. */
export const inflated = (bytes: Buffer): Buffer =>
  inflateSync(bytes.subarray(compressedHead(bytes).start))
