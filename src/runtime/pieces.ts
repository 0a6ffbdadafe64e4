/** What is asked for at once. Without it, workerd's own streams come in pieces of 4 KiB. */
const READ_BYTES = 64 * 1024

/**
 * Reads a stream of bytes piece by piece, each in memory of its own; undefined at its end. What fills less
 * than half of its buffer is copied out, so that whoever keeps pieces keeps no buffers nearly empty.
 *
 * @example
 * const next = piecesOf(stream.getReader({ mode: 'byob' }))
 * for (let piece = await next(); piece; piece = await next()) take(piece)
 */
export function piecesOf(reader: ReadableStreamBYOBReader): () => Promise<Uint8Array | undefined> {
  let spare: ArrayBuffer | undefined
  return async () => {
    const buffer = spare ?? new ArrayBuffer(READ_BYTES)
    spare = undefined
    const { done, value } = await reader.read(new Uint8Array(buffer))
    if (done || !value) return undefined
    if (value.length >= READ_BYTES / 2) return value
    spare = value.buffer
    return value.slice()
  }
}
