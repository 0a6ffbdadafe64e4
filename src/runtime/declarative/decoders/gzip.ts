import { AirbyteError } from '../../../protocol/index.ts'

/** The bytes unpacked when they begin as gzip does, else as they are: the transport may have unpacked them. */
export async function gunzip(bytes: Uint8Array): Promise<Uint8Array> {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? decompress(bytes, 'gzip') : bytes
}

/** @throws UPSTREAM_ERROR when the data is cut or damaged */
export async function decompress(
  bytes: Uint8Array,
  format: 'gzip' | 'deflate-raw',
): Promise<Uint8Array> {
  const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()
  try {
    const unpacked = source.pipeThrough(new DecompressionStream(format))
    return new Uint8Array(await new Response(unpacked).arrayBuffer())
  } catch (cause) {
    throw new AirbyteError('UPSTREAM_ERROR', 'The compressed answer is cut or damaged.', { cause })
  }
}
