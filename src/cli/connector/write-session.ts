import {
  AirbyteError,
  isObject,
  type JsonObject,
  type StreamKey,
  streamKey,
} from '../../protocol/index.ts'
import type { LineOutput } from './output.ts'
import type { IncomingRecord, StreamWriter } from './stream-writer.ts'

/** What is collected of a stream, or of all, before it is committed. */
const STREAM_BYTES = 16 * 1024 * 1024
const ALL_BYTES = 64 * 1024 * 1024
/** A state waits no longer for more rows to be committed with it. */
const PATIENCE_MS = 15_000

/** A STATE that is printed when what stood before it is committed. */
interface WaitingState {
  message: JsonObject
  records: number
}

/** Takes messages in their order, and prints states as their rows are committed. */
export class WriteSession {
  /** The stream that is being written, for the message of an error. */
  current: StreamKey | undefined
  readonly #writers: Map<StreamKey, StreamWriter>
  readonly #out: LineOutput
  readonly #now: () => number
  /** Of single streams, and of all together under the empty key. */
  readonly #waiting = new Map<StreamKey, WaitingState[]>()
  readonly #sinceState = new Map<StreamKey, number>()

  constructor(writers: StreamWriter[], out: LineOutput, now: () => number) {
    this.#writers = new Map(writers.map((writer) => [writer.stream.key, writer]))
    this.#out = out
    this.#now = now
  }

  async prepare(): Promise<void> {
    for (const [key, writer] of this.#writers) {
      this.current = key
      await writer.prepare()
    }
    this.current = undefined
  }

  async record(key: StreamKey, record: IncomingRecord, bytes: number): Promise<void> {
    const writer = this.#writerOf(key)
    writer.add(record, bytes)
    this.#sinceState.set(key, (this.#sinceState.get(key) ?? 0) + 1)
    if (writer.bytes >= STREAM_BYTES) await this.#flush(writer)
    else if (this.#collected() >= ALL_BYTES) await this.#flush(this.#largest())
  }

  async state(message: JsonObject): Promise<void> {
    const { state } = message
    const stream = isObject(state) ? state.stream : undefined
    const of = isObject(stream) ? stream.stream_descriptor : undefined
    if (!isObject(of)) {
      const all = [...this.#sinceState.values()]
      this.#sinceState.clear()
      this.#wait(EVERYTHING, { message, records: all.reduce((sum, count) => sum + count, 0) })
      return
    }
    const key = streamKey({
      name: String(of.name),
      ...(typeof of.namespace === 'string' && { namespace: of.namespace }),
    })
    const writer = this.#writerOf(key)
    this.#wait(key, { message, records: this.#sinceState.get(key) ?? 0 })
    this.#sinceState.set(key, 0)
    // Nothing is in the way: it need not wait for more.
    if (writer.since === undefined) this.#print(key, 0)
    else if (this.#isOverdue(writer)) await this.#flush(writer)
  }

  /** Commits what has waited long enough. */
  async tick(): Promise<void> {
    for (const writer of this.#writers.values()) {
      if (this.#isOverdue(writer)) await this.#flush(writer)
    }
  }

  async complete(key: StreamKey): Promise<void> {
    const writer = this.#writerOf(key)
    this.current = key
    const { rejected } = await writer.complete()
    this.current = undefined
    this.#print(key, rejected)
  }

  /** Commits everything. */
  async commit(): Promise<void> {
    for (const writer of this.#writers.values()) await this.#flush(writer)
  }

  /** Streams of which no COMPLETE came. */
  incomplete(): StreamKey[] {
    return Array.from(this.#writers.values())
      .filter(({ isComplete }) => !isComplete)
      .map(({ stream }) => stream.key)
  }

  async close(): Promise<void> {
    for (const writer of this.#writers.values()) await writer.close().catch(() => {})
  }

  /** A state of all streams needs all of them committed. */
  async #flush(writer: StreamWriter): Promise<void> {
    const all = this.#waiting.has(EVERYTHING) ? [...this.#writers.values()] : [writer]
    for (const one of all) {
      const { key } = one.stream
      this.current = key
      const { rejected } = await one.flush()
      this.current = undefined
      this.#print(key, rejected)
    }
  }

  #wait(key: StreamKey, state: WaitingState): void {
    const waiting = this.#waiting.get(key)
    if (waiting) waiting.push(state)
    else this.#waiting.set(key, [state])
    if (key === EVERYTHING) this.#print(key, 0)
  }

  /** The states of a stream whose rows are committed; those of all once nothing waits any more. */
  #print(key: StreamKey, rejected: number): void {
    const isIdle = Array.from(this.#writers.values()).every(({ since }) => since === undefined)
    const states = key === EVERYTHING ? [] : this.#take(key)
    if (isIdle) states.push(...this.#take(EVERYTHING))
    const last = states.length - 1
    for (const [index, { message, records }] of states.entries()) {
      this.#out.message(withStats(message, records, index === last ? rejected : 0))
    }
  }

  #take(key: StreamKey): WaitingState[] {
    const states = this.#waiting.get(key) ?? []
    this.#waiting.delete(key)
    return states
  }

  #isOverdue({ since }: StreamWriter): boolean {
    return since !== undefined && this.#now() - since >= PATIENCE_MS
  }

  #collected(): number {
    return Array.from(this.#writers.values()).reduce((sum, { bytes }) => sum + bytes, 0)
  }

  #largest(): StreamWriter {
    return Array.from(this.#writers.values()).reduce((a, b) => (b.bytes > a.bytes ? b : a))
  }

  #writerOf(key: StreamKey): StreamWriter {
    const writer = this.#writers.get(key)
    if (writer) return writer
    throw new AirbyteError('STREAM_NOT_FOUND', `The catalog has no stream '${key}'.`, {
      stream: key,
    })
  }
}

const EVERYTHING = ''

/** The state as it came, with what became of its records. */
function withStats(message: JsonObject, records: number, rejected: number): JsonObject {
  const destinationStats = {
    recordCount: records - rejected,
    ...(rejected > 0 && { rejectedRecordCount: rejected }),
  }
  return { ...message, state: { ...(message.state as JsonObject), destinationStats } }
}
