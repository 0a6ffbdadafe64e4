import {
  AirbyteError,
  type Batch,
  type Cell,
  type Column,
  type EncodedBatch,
  type RecordBatch,
  type RowOp,
} from '../protocol/index.ts'
import { rowsBetween } from '../runtime/batch-rows.ts'
import { chunksOf } from './bytes.ts'
import { decodeColumn, encodeColumn } from './column-codec.ts'
import { crc32 } from './crc32.ts'

/**
 * Staged chunk, version 1. All integers are little-endian.
 *
 * | bytes | what |
 * |---|---|
 * | 5 | `ABSC`, version (1) |
 * | per frame: 12 | header length, payload length, CRC-32 of header and payload |
 * | | header: JSON |
 * | | payload: an encoded batch's bytes, or the columns of a record batch one after another |
 * | 12, last | 0, number of frames, CRC-32 of the number's four bytes |
 *
 * The last frame tells a whole chunk from one cut at a frame's edge.
 */
const MAGIC = [0x41, 0x42, 0x53, 0x43, 1]
const PREFIX_BYTES = 12
/** A record batch beyond this is split by rows. One row may be larger: it travels alone. */
const FRAME_BYTES = 3 * 1024 * 1024
/** No honest frame is longer; a corrupted length must not allocate. */
const LARGEST_FRAME = 128 * 1024 * 1024

interface FrameHeader {
  kind: Batch['kind']
  stream: string
  /** Index among the schemas seen so far; `schema` comes with its first use. */
  schemaId: number
  schema?: Column[]
  rows: number
  extractedAt: number
  format?: EncodedBatch['format']
  /** Byte length of each column in the payload. */
  columns?: number[]
  op?: string
  changes?: RecordBatch['changes']
  child?: number
  note?: string
  /** Byte length of the row ids, which come after the columns. */
  rowIds?: number
}

/**
 * Batches as the bytes of a staged chunk. One frame (some 3 MB) is held at a time.
 *
 * @example
 * await store.putStream(key, encodeFrames(batches))
 */
export async function* encodeFrames(body: AsyncIterable<Batch>): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(MAGIC)
  const schemas = new Map<string, number>()
  let frames = 0
  for await (const batch of body) {
    const text = JSON.stringify(batch.schema)
    for (const part of batch.kind === 'records' ? split(batch) : [batch]) {
      const known = schemas.get(text)
      const schemaId = known ?? schemas.size
      if (known === undefined) schemas.set(text, schemaId)
      yield frameOf(part, schemaId, known === undefined)
      frames += 1
    }
  }
  yield lastFrame(frames)
}

/**
 * The batches of a staged chunk, one frame in memory at a time.
 * Throws STAGED_CHUNK_CHANGED at the first byte that is not as it was written, and at an early end.
 */
export async function* decodeFrames(
  stream: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Batch> {
  const input = new ByteReader(stream)
  try {
    const magic = await input.take(MAGIC.length)
    if (MAGIC.some((byte, i) => magic[i] !== byte)) throw changed('it does not begin as one')
    const schemas: Column[][] = []
    for (let frames = 0; ; frames++) {
      const prefix = viewOf(await input.take(PREFIX_BYTES))
      const headerLength = prefix.getUint32(0, true)
      const payloadLength = prefix.getUint32(4, true)
      if (headerLength === 0) {
        if (prefix.getUint32(8, true) !== countSum(payloadLength))
          throw changed('its end is damaged')
        if (payloadLength !== frames) throw changed(`${payloadLength - frames} frames are missing`)
        if (!(await input.atEnd())) throw changed('bytes follow its end')
        return
      }
      if (headerLength + payloadLength > LARGEST_FRAME) throw changed('a length is damaged')
      const frame = await input.take(headerLength + payloadLength)
      if (crc32(frame) !== prefix.getUint32(8, true)) throw changed(`frame ${frames} is damaged`)
      yield batchOf(frame, headerLength, schemas)
    }
  } finally {
    await input.close()
  }
}

function frameOf(batch: Batch, schemaId: number, first: boolean): Uint8Array {
  const header: FrameHeader = {
    kind: batch.kind,
    stream: batch.stream,
    schemaId,
    rows: batch.kind === 'records' ? batch.length : batch.rows,
    extractedAt: batch.extractedAt,
  }
  if (first) header.schema = batch.schema
  if (batch.op) header.op = batch.op.join('')
  let parts: Uint8Array[]
  if (batch.kind === 'encoded') {
    header.format = batch.format
    parts = [batch.bytes]
  } else {
    parts = batch.columns.map((column) => encodeColumn(column))
    header.columns = parts.map((part) => part.length)
    if (batch.changes) header.changes = batch.changes
    if (batch.child !== undefined) header.child = batch.child
    if (batch.note !== undefined) header.note = batch.note
    if (batch.rowIds) {
      const ids = encodeColumn(batch.rowIds)
      header.rowIds = ids.length
      parts.push(ids)
    }
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const payloadLength = parts.reduce((sum, part) => sum + part.length, 0)
  if (json.length + payloadLength > LARGEST_FRAME) {
    throw new AirbyteError('TOO_LARGE', 'A batch is larger than 128 MiB.', { stream: batch.stream })
  }

  const frame = new Uint8Array(PREFIX_BYTES + json.length + payloadLength)
  frame.set(json, PREFIX_BYTES)
  let at = PREFIX_BYTES + json.length
  for (const part of parts) {
    frame.set(part, at)
    at += part.length
  }
  const prefix = viewOf(frame)
  prefix.setUint32(0, json.length, true)
  prefix.setUint32(4, payloadLength, true)
  prefix.setUint32(8, crc32(frame.subarray(PREFIX_BYTES)), true)
  return frame
}

function batchOf(frame: Uint8Array, headerLength: number, schemas: Column[][]): Batch {
  const header = JSON.parse(
    new TextDecoder().decode(frame.subarray(0, headerLength)),
  ) as FrameHeader
  if (header.schema) schemas[header.schemaId] = header.schema
  const schema = schemas[header.schemaId]
  if (!schema) throw changed('a schema is missing')
  const { stream, rows, extractedAt } = header
  const payload = frame.subarray(headerLength)
  const op = header.op === undefined ? {} : { op: [...header.op] as RowOp[] }
  if (header.kind === 'encoded') {
    if (!header.format) throw changed('a format is missing')
    return {
      kind: 'encoded',
      stream,
      schema,
      format: header.format,
      rows,
      bytes: payload,
      extractedAt,
      ...op,
    }
  }
  let at = 0
  const columns = (header.columns ?? []).map((length) => {
    at += length
    return decodeColumn(payload.subarray(at - length, at), rows)
  })
  const batch: RecordBatch = {
    kind: 'records',
    stream,
    schema,
    length: rows,
    columns,
    extractedAt,
    ...op,
  }
  if (header.changes) batch.changes = header.changes
  if (header.child !== undefined) batch.child = header.child
  if (header.note !== undefined) batch.note = header.note
  if (header.rowIds !== undefined) {
    batch.rowIds = decodeColumn(payload.subarray(at, at + header.rowIds), rows) as string[]
  }
  return batch
}

/** Halves of halves until each is likely to fit a frame. */
function* split(batch: RecordBatch): Generator<RecordBatch> {
  if (batch.length < 2 || sizeOf(batch.columns, FRAME_BYTES) < FRAME_BYTES) {
    yield batch
    return
  }
  const middle = batch.length >> 1
  yield* split(rowsBetween(batch, 0, middle))
  yield* split(rowsBetween(batch, middle, batch.length))
}

/** Characters and eight bytes a number: an estimate that stops counting at `limit`. */
function sizeOf(columns: Cell[][], limit: number): number {
  let size = 0
  for (const column of columns) {
    for (const cell of column) size += typeof cell === 'string' ? cell.length + 3 : 8
    if (size >= limit) return size
  }
  return size
}

function lastFrame(frames: number): Uint8Array {
  const frame = new Uint8Array(PREFIX_BYTES)
  viewOf(frame).setUint32(4, frames, true)
  viewOf(frame).setUint32(8, countSum(frames), true)
  return frame
}

function countSum(frames: number): number {
  const bytes = new Uint8Array(4)
  viewOf(bytes).setUint32(0, frames, true)
  return crc32(bytes)
}

/** Exact numbers of bytes out of a stream of pieces of any size. */
class ByteReader {
  readonly #pieces: AsyncGenerator<Uint8Array>
  #piece = new Uint8Array(0) as Uint8Array

  constructor(stream: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>) {
    this.#pieces = chunksOf(stream)
  }

  async take(count: number): Promise<Uint8Array> {
    const taken = new Uint8Array(count)
    for (let filled = 0; filled < count; ) {
      if (this.#piece.length === 0 && !(await this.#next())) throw changed('it ends too early')
      const part = this.#piece.subarray(0, count - filled)
      taken.set(part, filled)
      filled += part.length
      this.#piece = this.#piece.subarray(part.length)
    }
    return taken
  }

  async atEnd(): Promise<boolean> {
    while (this.#piece.length === 0) if (!(await this.#next())) return true
    return false
  }

  async close() {
    await this.#pieces.return(undefined)
  }

  async #next(): Promise<boolean> {
    const { done, value } = await this.#pieces.next()
    if (!done) this.#piece = value
    return !done
  }
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const changed = (how: string) =>
  new AirbyteError('STAGED_CHUNK_CHANGED', `The staged chunk is not what was written: ${how}.`)
