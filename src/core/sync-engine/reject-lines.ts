import type { RejectedRow } from '../../runtime/contract.ts'

/** A rejected row as it is kept; `row` is JSON with every digit, as it was read. */
export interface Reject extends RejectedRow {
  stream: string
}

/** The rows of one object of rejects, as lines of JSON. */
export async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = ''
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest) yield rest
}
