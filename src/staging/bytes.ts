/** What is asked for at once. Without it, workerd's own streams come in pieces of 4 KiB. */
const READ_BYTES = 64 * 1024

/** Chunks of bytes, from whichever kind of stream the platform gave. */
export async function* chunksOf(
  source: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (!(source instanceof ReadableStream)) {
    yield* source
    return
  }
  const { reader, read } = openReader(source)
  let ended = false
  try {
    for (;;) {
      const { done, value } = await read()
      ended = done
      if (done) return
      yield value
    }
  } finally {
    // A consumer that stops early must not leave the other end of the stream waiting.
    if (!ended) await reader.cancel().catch(() => {})
    reader.releaseLock()
  }
}

function openReader(source: ReadableStream<Uint8Array>) {
  let reader: ReadableStreamBYOBReader
  try {
    reader = source.getReader({ mode: 'byob' })
  } catch {
    // Not a stream of bytes: its pieces are as they were made.
    const reader = source.getReader()
    return { reader, read: () => reader.read() }
  }
  let spare: ArrayBuffer | undefined
  return {
    reader,
    async read() {
      const buffer = spare ?? new ArrayBuffer(READ_BYTES)
      spare = undefined
      const { done, value } = await reader.read(new Uint8Array(buffer))
      if (done || !value) return { done: true as const, value: undefined }
      if (value.length >= READ_BYTES / 2) return { done, value }
      // Else whoever keeps pieces keeps buffers that are nearly empty.
      spare = value.buffer
      return { done, value: value.slice() }
    },
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
