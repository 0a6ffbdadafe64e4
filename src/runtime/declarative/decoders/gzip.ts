import { Readable } from 'node:stream'
import { createGunzip, createInflate, createInflateRaw } from 'node:zlib'
import { AirbyteError } from '../../../protocol/index.ts'
import type { Chunks } from './text.ts'

/** Of what is unpacked at a time, in bytes. */
const CHUNK_BYTES = 64 * 1024

const FORMATS = { gzip: createGunzip, deflate: createInflate, 'deflate-raw': createInflateRaw }

/** The bytes unpacked when they begin as gzip does, else as they are: the transport may have unpacked them. */
export async function* gunzip(chunks: Chunks): AsyncGenerator<Uint8Array> {
  const { head, all } = await peek(chunks, 2)
  yield* head[0] === 0x1f && head[1] === 0x8b ? decompress(all, 'gzip') : all
}

/**
 * Unpacks piece by piece. Gzip may have several members.
 *
 * @throws UPSTREAM_ERROR when the data is cut or damaged
 */
export async function* decompress(
  chunks: Chunks,
  format: keyof typeof FORMATS,
): AsyncGenerator<Uint8Array> {
  const unpacker = FORMATS[format]({ chunkSize: CHUNK_BYTES })
  const packed = Readable.from(chunks, { objectMode: true })
  let broken: unknown
  packed.on('error', (error) => {
    broken = error
    unpacker.destroy(error)
  })
  packed.pipe(unpacker)
  try {
    for await (const chunk of unpacker) yield chunk as Uint8Array
  } catch (cause) {
    // What broke off says more than the archive that it left cut.
    if (broken) throw broken
    throw new AirbyteError('UPSTREAM_ERROR', 'The compressed answer is cut or damaged.', { cause })
  } finally {
    packed.destroy()
  }
}

/** The first bytes, and the same chunks with them. */
export async function peek(
  chunks: Chunks,
  count: number,
): Promise<{ head: Uint8Array; all: AsyncGenerator<Uint8Array> }> {
  const iterator = chunks[Symbol.asyncIterator]()
  const taken: Uint8Array[] = []
  let length = 0
  while (length < count) {
    const { done, value } = await iterator.next()
    if (done) break
    taken.push(value)
    length += value.length
  }
  async function* all() {
    try {
      yield* taken
      for (;;) {
        const { done, value } = await iterator.next()
        if (done) return
        yield value
      }
    } finally {
      await iterator.return?.()
    }
  }
  const [first] = taken
  const head = taken.length === 1 && first ? first : Buffer.concat(taken)
  return { head, all: all() }
}
