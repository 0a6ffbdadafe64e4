import {
  AirbyteError,
  type Batch,
  type ConfiguredStream,
  type ErrorRecord,
  fromRecord,
  type JsonObject,
  parseStreamKey,
  plainState,
  type ReadEvent,
  type StreamKey,
  splitState,
  streamKey,
  toAirbyteError,
} from '../../protocol/index.ts'
import type { ConnectorContext, ReadState, Source } from '../../runtime/contract.ts'
import { exactJson } from '../../runtime/exact-json.ts'
import { jsonTexts } from '../../runtime/formats/jsonl.ts'
import * as messages from './messages.ts'
import type { LineOutput } from './output.ts'
import type { Stop } from './signals.ts'

export interface Reading {
  source: Source
  ctx: ConnectorContext
  config: JsonObject
  streams: ConfiguredStream[]
  state: ReadState
  out: LineOutput
  scrub: messages.Scrub
  /** When it is requested the read ends at its next state, or at once while it waits. */
  stop: Pick<Stop, 'requested' | 'idle'>
  /** The source changed its own config: what is secret in it is to be scrubbed from here on. */
  onConfig(config: JsonObject): void
}

export interface ReadOutcome {
  /** Streams that did not end well. */
  failed: StreamKey[]
  stopped: boolean
}

/** What was printed of a stream, and what was not yet. */
interface Progress {
  status: 'STARTED' | 'RUNNING' | 'ENDED'
  /** Records since its last STATE. */
  records: number
  /** The newest state. */
  state: JsonObject
  /** Text of the last STATE, or of the state that was given. */
  known: string | undefined
  hasPrinted: boolean
}

/**
 * Reads the streams and prints each event as its Airbyte message. What is wrong with one stream ends
 * that stream; the others go on. What is wrong before any stream has begun is thrown.
 */
export async function readAsMessages(reading: Reading): Promise<ReadOutcome> {
  const session = new ReadSession(reading)
  await session.run()
  return { failed: session.failed, stopped: session.stopped }
}

class ReadSession {
  readonly failed: StreamKey[] = []
  stopped = false
  readonly #reading: Reading
  readonly #progress = new Map<StreamKey, Progress>()
  #config: JsonObject
  #shared: JsonObject | undefined

  constructor(reading: Reading) {
    this.#reading = reading
    this.#config = reading.config
  }

  async run(): Promise<void> {
    const { streams, source, ctx } = this.#reading
    const asked = streams.map((stream) => ({
      ...stream,
      ...(source.capabilities.wholeRecords && { wholeRecords: true }),
    }))
    for (let left = asked; left.length > 0 && !this.stopped; left = this.#notBegun(left)) {
      try {
        await this.#consume(source.read(ctx, this.#config, left, this.#reading.state))
        return
      } catch (error) {
        // What was under way is aborted: nothing is wrong with its streams.
        if (ctx.signal.aborted) return this.#stop()
        const open = this.#open()
        if (open.length === 0) throw error
        for (const stream of open) this.#fail(stream, toAirbyteError(error))
        if (this.#reading.stop.requested) return this.#stop()
      }
    }
  }

  async #consume(events: AsyncIterable<ReadEvent>): Promise<void> {
    const { out, stop } = this.#reading
    for await (const event of events) {
      this.#print(event)
      await out.ready()
      stop.idle = event.type === 'wait'
      if (!stop.requested || !(event.type === 'state' || stop.idle)) continue
      return this.#stop()
    }
  }

  #stop(): void {
    this.stopped = true
    for (const stream of this.#open()) {
      this.#printNewState(stream)
      this.#end(stream, 'INCOMPLETE')
    }
  }

  #open(): StreamKey[] {
    return Array.from(this.#progress)
      .filter(([, { status }]) => status !== 'ENDED')
      .map(([stream]) => stream)
  }

  #notBegun(streams: ConfiguredStream[]): ConfiguredStream[] {
    return streams.filter(({ stream }) => !this.#progress.has(streamKey(stream)))
  }

  #print(event: ReadEvent): void {
    const { out, scrub } = this.#reading
    switch (event.type) {
      case 'batch':
        this.#records(event.batch)
        break
      case 'state':
        this.#state(event.stream, event.state, event.shared)
        break
      case 'status':
        this.#status(event)
        break
      case 'wait': {
        const until = new Date(event.until).toISOString()
        const text = `${event.stream}: nothing to read before ${until}: ${event.reason}`
        out.message(messages.logMessage('info', text, scrub))
        break
      }
      case 'log':
        out.message(messages.logMessage(event.level, event.message, scrub))
        break
      case 'estimate':
        out.message(messages.estimateMessage(event.stream, event.rows, event.bytes))
        break
      case 'control':
        this.#config = event.config
        this.#reading.onConfig(event.config)
        out.message(messages.controlMessage(event.config))
        break
      case 'error':
        this.#error(event.stream, event.error)
    }
  }

  #records(batch: Batch): void {
    if (batch.kind !== 'records') {
      throw new AirbyteError('INTERNAL', `${batch.stream}: asked for records, got bytes.`)
    }
    const { out, source } = this.#reading
    const { name, namespace } = parseStreamKey(batch.stream)
    const head = JSON.stringify({ stream: name, ...(namespace !== undefined && { namespace }) })
    const start = `{"type":"RECORD","record":${head.slice(0, -1)},"data":`
    const end = `,"emitted_at":${batch.extractedAt}`
    const meta = changesByRow(batch.changes)
    const nulls = !source.capabilities.wholeRecords
    for (const [row, data] of jsonTexts(batch.schema, batch, { nulls }).entries()) {
      const changes = meta?.get(row)
      const tail = changes ? `,"meta":${JSON.stringify({ changes })}}}` : '}}'
      out.line(start + data + end + tail)
    }
    this.#progressOf(batch.stream).records += batch.length
  }

  #state(stream: StreamKey, state: JsonObject, shared: JsonObject | undefined): void {
    const progress = this.#progressOf(stream)
    progress.state = state
    this.#shared = shared ?? this.#shared
    // A state of many partitions is long: it is not printed for every page.
    const isDue = progress.records >= ROWS_PER_LARGE_STATE || this.#reading.stop.requested
    if (isDue || !isLarge(state)) this.#printNewState(stream)
  }

  /** Within a slice the CDK's state stays what it was: printed again it would promise too much. */
  #printNewState(stream: StreamKey): void {
    const { known, state } = this.#progressOf(stream)
    if (known !== exactJson(this.#airbyteState(state))) this.#printState(stream)
  }

  #airbyteState(state: JsonObject): JsonObject {
    return this.#reading.source.toAirbyteState?.(state) ?? plainState(state)
  }

  #printState(stream: StreamKey): void {
    const { out } = this.#reading
    const progress = this.#progressOf(stream)
    const printed = this.#airbyteState(progress.state)
    progress.known = exactJson(printed)
    progress.hasPrinted = true
    if (this.#shared) {
      const all = Array.from(this.#progress.values())
      const states = new Map(this.#states().map(([key, state]) => [key, this.#airbyteState(state)]))
      const records = all.reduce((sum, one) => sum + one.records, 0)
      for (const one of all) one.records = 0
      out.message(messages.globalStateMessage(this.#shared, states, records))
      return
    }
    out.message(messages.stateMessage(stream, printed, progress.records))
    progress.records = 0
  }

  /** Of every stream that is asked for: one that has not begun yet is where it was. */
  #states(): [StreamKey, JsonObject][] {
    const { streams, state } = this.#reading
    return streams.flatMap(({ stream }): [StreamKey, JsonObject][] => {
      const key = streamKey(stream)
      const known = this.#progress.get(key)?.state ?? state.streams.get(key)
      return known ? [[key, known]] : []
    })
  }

  #status({ stream, status, rateLimitedUntil }: ReadEvent & { type: 'status' }): void {
    const progress = this.#progressOf(stream)
    switch (status) {
      case 'complete':
        if (progress.records > 0 || !progress.hasPrinted) this.#printState(stream)
        else this.#printNewState(stream)
        this.#end(stream, 'COMPLETE')
        break
      case 'incomplete':
        this.#printNewState(stream)
        this.#end(stream, 'INCOMPLETE')
        break
      default: {
        const named = status === 'started' ? 'STARTED' : 'RUNNING'
        progress.status = named
        const { out } = this.#reading
        out.message(messages.streamStatusMessage(stream, named, rateLimitedUntil))
      }
    }
  }

  #end(stream: StreamKey, status: 'COMPLETE' | 'INCOMPLETE'): void {
    this.#progressOf(stream).status = 'ENDED'
    this.#reading.out.message(messages.streamStatusMessage(stream, status))
  }

  #error(stream: StreamKey, record: ErrorRecord): void {
    const { out, scrub } = this.#reading
    const error = fromRecord(record)
    // As the CDK has it: a stream that is gone is incomplete, and no failure of the read.
    if (error.code === 'STREAM_NOT_FOUND') {
      out.message(messages.logMessage('warn', error.message, scrub))
      return
    }
    this.failed.push(stream)
    out.message(messages.errorMessage(error, scrub, stream))
  }

  #fail(stream: StreamKey, error: AirbyteError): void {
    this.#error(stream, error.toJSON())
    this.#end(stream, 'INCOMPLETE')
  }

  #progressOf(stream: StreamKey): Progress {
    const known = this.#progress.get(stream)
    if (known) return known
    const state = this.#reading.state.streams.get(stream) ?? {}
    const progress: Progress = {
      ...{ status: 'STARTED', records: 0, state, hasPrinted: false },
      known: exactJson(this.#airbyteState(state)),
    }
    this.#progress.set(stream, progress)
    return progress
  }
}

const LARGE_STATE = 500
const ROWS_PER_LARGE_STATE = 2000

function isLarge(state: JsonObject): boolean {
  const { lists } = splitState(state)
  return [...lists.values()].some(({ length }) => length > LARGE_STATE)
}

function changesByRow(changes: (Batch & { kind: 'records' })['changes']) {
  if (!changes || changes.length === 0) return undefined
  const byRow = new Map<number, { field: string; change: string; reason: string }[]>()
  for (const { row, ...change } of changes) byRow.set(row, [...(byRow.get(row) ?? []), change])
  return byRow
}
