import type { Batch } from '../../protocol/index.ts'
import { turn } from '../../runtime/turns.ts'
import { batchBytes } from './batch-bytes.ts'

/** Batches that are read before they are asked for. */
export interface ReadAhead {
  /** For one consumer. What the source throws comes after the batches before it. */
  batches: AsyncIterable<Batch>
  /** Resolves with whether the source was read to its end; rejects with what it throws. */
  ended: Promise<boolean>
  /** Reads no further: nobody wants what is left. */
  stop(): void
}

/** Reads ahead of the consumer until `limit` bytes wait for it: so much is in memory, and a batch. */
export function readAhead(source: AsyncIterable<Batch>, limit: number): ReadAhead {
  const waiting: Batch[] = []
  let bytes = 0
  let isDone = false
  let isWanted = true
  /** Each side wakes the other. */
  let changed = Promise.withResolvers<void>()
  const tell = () => {
    changed.resolve()
    changed = Promise.withResolvers()
  }
  const stop = () => {
    isWanted = false
    tell()
  }

  async function fill(): Promise<boolean> {
    try {
      for await (const batch of source) {
        waiting.push(batch)
        bytes += batchBytes(batch)
        tell()
        // Else all that may wait is read at once, and the answers of a server that writes meanwhile wait too.
        await turn()
        while (bytes >= limit && isWanted) await changed.promise
        if (!isWanted) return false
      }
      return true
    } finally {
      isDone = true
      tell()
    }
  }

  const ended = fill()
  // The consumer gets it; who asks for the end besides may do so late, or never.
  ended.catch(() => {})

  async function* batches(): AsyncGenerator<Batch> {
    try {
      for (;;) {
        const batch = waiting.shift()
        if (batch) {
          bytes -= batchBytes(batch)
          tell()
          yield batch
        } else if (isDone) {
          await ended
          return
        } else await changed.promise
      }
    } finally {
      stop()
    }
  }

  return { batches: batches(), ended, stop }
}
