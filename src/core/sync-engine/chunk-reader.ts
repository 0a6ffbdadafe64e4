import {
  AirbyteError,
  type Batch,
  diffLists,
  fromRecord,
  type PartitionLists,
  type ReadEvent,
  rowsOf,
  type StreamKey,
  type StreamState,
  splitState,
} from '../../protocol/index.ts'
import type { ChunkEnd } from '../../runtime/contract.ts'
import { batchBytes } from './batch-bytes.ts'
import type { Wait } from './types.ts'

export interface ChunkReaderOptions {
  stream: StreamKey
  /** Bytes past which the next checkpoint ends the chunk, given those read before it; 0 ends it at every one. */
  chunkBytes: (read: number) => number
  /** True when the slice should stop at the next checkpoint. */
  exhausted: () => boolean
  /** Receives every event that is neither batch, state nor completion; reading waits for it. */
  onEvent: (event: ReadEvent) => void | Promise<void>
}

/** Where reading begins: a state, its lists of partitions apart. */
export interface ReaderStart {
  header: StreamState | null
  lists: PartitionLists
}

/** A span of rows up to a checkpoint. `end()` is valid once `body` is exhausted. */
export interface OpenChunk {
  /** Without its lists of partitions. */
  start: StreamState | null
  body: AsyncIterable<Batch>
  end(): ChunkEnd
}

/**
 * Cuts a source's events into chunks at checkpoints. The consumer pulls, so the source feels its
 * back-pressure and nothing is buffered.
 */
export class ChunkReader {
  #header: StreamState | null
  #lists: PartitionLists
  /** The lists as they were at the end of the chunk before. */
  #reported: PartitionLists
  #complete = false
  #wait: Wait | undefined
  /** What ended the source right after a state whose rows are being loaded. */
  #failure: { error: unknown } | undefined
  /** Bytes of the chunks before. */
  #read = 0
  readonly #events: AsyncIterator<ReadEvent>
  readonly #options: ChunkReaderOptions

  constructor(events: AsyncIterable<ReadEvent>, start: ReaderStart, options: ChunkReaderOptions) {
    this.#events = events[Symbol.asyncIterator]()
    this.#header = start.header
    this.#lists = start.lists
    this.#reported = start.lists
    this.#options = options
  }

  /** Where reading stands: the end of what was pulled so far. */
  position(): ChunkEnd {
    const partitions = diffLists(this.#reported, this.#lists)
    return {
      ...{ state: this.#header ?? {}, complete: this.#complete },
      ...(partitions ? { partitions } : {}),
    }
  }

  /** Why the source has nothing to read for a while; it ends the slice. */
  get wait(): Wait | undefined {
    return this.#wait
  }

  /**
   * The next chunk with at least one row, or null when the stream is complete, the slice is spent or
   * its position is to be kept.
   */
  async next(): Promise<OpenChunk | null> {
    const start = this.#header
    while (!this.#isAtEnd()) {
      const event = await this.#pull()
      if (event.type === 'batch' && rowsOf(event.batch) > 0) {
        return { start, body: this.#body(event.batch), end: () => this.position() }
      }
      await this.#take(event)
      if (event.type === 'state' && (event.keep || this.#options.exhausted())) return null
    }
    return null
  }

  /** What was pulled so far is reported: the position counts its changes from here. */
  settle(): void {
    this.#reported = this.#lists
  }

  async close(): Promise<void> {
    await this.#events.return?.()
  }

  async *#body(first: Batch): AsyncGenerator<Batch> {
    const limit = this.#options.chunkBytes(this.#read)
    let bytes = batchBytes(first)
    this.#read += bytes
    let isCovered = false
    yield first
    while (!this.#isAtEnd()) {
      const event = await this.#pullOrEnd(isCovered)
      if (!event) return
      if (event.type === 'state') isCovered = true
      if (event.type === 'batch') {
        isCovered = false
        const more = batchBytes(event.batch)
        bytes += more
        this.#read += more
        if (rowsOf(event.batch) > 0) yield event.batch
        continue
      }
      await this.#take(event)
      if (event.type !== 'state') continue
      if (event.keep || bytes >= limit || this.#options.exhausted()) return
    }
  }

  #isAtEnd(): boolean {
    return this.#complete || this.#wait !== undefined
  }

  /** A failure that comes when all rows are covered by a state ends the chunk, not its rows. */
  async #pullOrEnd(isCovered: boolean): Promise<ReadEvent | undefined> {
    try {
      return await this.#pull()
    } catch (error) {
      if (!isCovered) throw error
      this.#failure = { error }
      return undefined
    }
  }

  async #pull(): Promise<ReadEvent> {
    if (this.#failure) throw this.#failure.error
    const { value, done } = await this.#events.next()
    if (!done && value.type === 'error') throw fromRecord(value.error)
    if (!done) return value
    const { stream } = this.#options
    throw new AirbyteError(
      'STREAM_INCOMPLETE',
      `The source stopped reading ${stream} without saying that it is complete.`,
      { stream },
    )
  }

  async #take(event: ReadEvent): Promise<void> {
    if (event.type === 'state') {
      const { header, lists } = splitState(event.state)
      this.#header = header
      this.#lists = lists
    } else if (event.type === 'status' && event.status === 'complete') this.#complete = true
    else if (event.type === 'wait') {
      const { until, reason, code } = event
      this.#wait = { until, reason, code }
    } else await this.#options.onEvent(event)
  }
}
