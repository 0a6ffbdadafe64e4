import { piecesOf } from '../runtime/pieces.ts'

/** Chunks of bytes, from whichever kind of stream the platform gave. */
export async function* chunksOf(
  source: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (!(source instanceof ReadableStream)) {
    yield* source
    return
  }
  const { reader, next } = openReader(source)
  let ended = false
  try {
    for (;;) {
      const piece = await next()
      ended = piece === undefined
      if (piece === undefined) return
      yield piece
    }
  } finally {
    // A consumer that stops early must not leave the other end of the stream waiting.
    if (!ended) await reader.cancel().catch(() => {})
    reader.releaseLock()
  }
}

function openReader(source: ReadableStream<Uint8Array>) {
  try {
    const reader = source.getReader({ mode: 'byob' })
    return { reader, next: piecesOf(reader) }
  } catch {
    // Not a stream of bytes: its pieces are as they were made.
    const reader = source.getReader()
    return { reader, next: async () => (await reader.read()).value }
  }
}

/** Every byte of a stream; for objects known to be small. */
export async function collect(
  source: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of chunksOf(source)) parts.push(part.slice())
  return concat(parts)
}

export function concat(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** A byte stream of one chunk. */
export function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes)
      controller.close()
    },
  })
}
