import type { ReadEvent, StreamKey } from '../../protocol/index.ts'
import type { Scanned } from './checkpoints.ts'
import { asState } from './keyset.ts'

/** A table by one statement; a failure begins again from the start. */
export async function* readWhole(
  stream: StreamKey,
  rows: AsyncIterable<Scanned>,
): AsyncGenerator<ReadEvent> {
  for await (const { batch } of rows) yield { type: 'batch', batch }
  const state = asState({ v: 1, type: 'full_refresh', by: 'whole', done: true })
  yield { type: 'state', stream, state }
}
