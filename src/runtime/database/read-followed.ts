import {
  AirbyteError,
  type Batch,
  type Cell,
  type Column,
  type ConfiguredStream,
  columnsOf,
  type ErrorRecord,
  fromRecord,
  type JsonObject,
  type ReadEvent,
  type RecordBatch,
  type StreamState,
  streamKey,
} from '../../protocol/index.ts'
import type { ConnectorContext } from '../contract.ts'
import { decodeCopyText } from '../formats/pg-copy-text.ts'
import type { LogPart } from '../source-log.ts'
import { type CdcBound, type CdcState, parseCdcState } from './followed-state.ts'
import { changesOf } from './freeze-followed.ts'
import { asState } from './keyset.ts'

/** How long a slice waits for the log, in all, before it gives its place to others. */
const WAIT_MS = 1_500
const COME_BACK_MS = 500
const HOLD_MS = 30_000

/** A stream of a log, as its database knows it. Places of the log are as the database prints them. */
export interface FollowedStream {
  ctx: ConnectorContext
  configured: ConfiguredStream
  /** The rows of the table from the saved position on: estimate, batches and states. */
  snapshot(
    since: string,
    saved: StreamState | undefined,
    bound: JsonObject | undefined,
  ): AsyncIterable<ReadEvent>
  endOfLog(): Promise<string>
  isAfter(place: string, other: string): boolean
  /** Whether everything that was committed before `place` is at or before this position. */
  hasPassed(position: JsonObject, place: string): boolean
  printPosition(position: JsonObject): string
  /** With what the log left out; absent: it leaves nothing out. */
  complete?(batch: RecordBatch): Promise<RecordBatch>
  columnsNow(): Promise<Column[]>
  isSameType(a: Column, b: Column): boolean
}

/**
 * A stream of the log: the table as it is, and then its changes since before the first row was read, up
 * to the end of the log as it was when the sync began, or when the last row of the snapshot was read.
 */
export async function* readFollowed(
  followed: FollowedStream,
  saved: StreamState | undefined,
): AsyncGenerator<ReadEvent> {
  const { configured } = followed
  const stream = streamKey(configured.stream)
  const bound = configured.upperBound as unknown as CdcBound | undefined
  if (bound?.error) throw fromRecord(bound.error as unknown as ErrorRecord)
  if (bound?.type !== 'cdc') {
    throw new AirbyteError('STATE_INVALID', `The end of the log is not known for ${stream}.`, {
      stream,
      hint: 'Sync again.',
    })
  }
  const state = parseCdcState(saved, bound, stream)
  if (state.snapshot) yield* readSnapshot(followed, state, bound)
  yield* readLog(followed, state, bound)
}

const stateEvent = ({ configured }: FollowedStream, state: CdcState): ReadEvent => ({
  type: 'state',
  stream: streamKey(configured.stream),
  state: asState(state),
})

async function* readSnapshot(
  followed: FollowedStream,
  state: CdcState,
  bound: CdcBound,
): AsyncGenerator<ReadEvent> {
  const { ctx } = followed
  const changes = changesOf(ctx)
  let held = ctx.now()
  for await (const event of followed.snapshot(state.since, state.snapshot?.state, bound.snapshot)) {
    if (ctx.now() - held >= HOLD_MS) {
      held = ctx.now()
      await changes.hold()
    }
    if (event.type !== 'state') yield event
    else {
      state.snapshot = { state: event.state }
      yield stateEvent(followed, state)
    }
  }
  // What a chunk saw may be of any time up to now: the stream is right once it has read the log up to here.
  state.rightFrom = await followed.endOfLog()
  delete state.snapshot
  yield stateEvent(followed, state)
}

async function* readLog(
  followed: FollowedStream,
  state: CdcState,
  { end: wanted }: CdcBound,
): AsyncGenerator<ReadEvent> {
  const { ctx, configured } = followed
  const stream = streamKey(configured.stream)
  const changes = changesOf(ctx)
  const later = state.rightFrom && followed.isAfter(state.rightFrom, wanted)
  const goal = later ? (state.rightFrom as string) : wanted
  const done = () => followed.hasPassed(state.position, goal)
  for (let waited = 0; !done(); ) {
    const began = ctx.now()
    const { parts, end } = await changes.next(state.log, stream, state, WAIT_MS)
    for (const part of parts) {
      if (yield* readPart(followed, state, part)) return yield* endEarly(followed, state)
      if (done()) break
    }
    if (parts.length > 0) continue
    if (end.segment > state.segment || !sameJson(end.position, state.position)) {
      state.segment = end.segment
      state.position = end.position
      delete state.skip
      yield stateEvent(followed, state)
    }
    waited += ctx.now() - began
    if (done() || waited < WAIT_MS) continue
    const staged = followed.printPosition(end.position)
    const reason = `The log is staged up to ${staged}; this sync reads up to ${goal}.`
    yield { type: 'wait', stream, until: ctx.now() + COME_BACK_MS, reason }
    waited = 0
  }
  delete state.rightFrom
  yield stateEvent(followed, state)
}

/** True if the part holds columns of which this sync knows nothing: what is before them was read. */
async function* readPart(
  followed: FollowedStream,
  state: CdcState,
  part: LogPart,
): AsyncGenerator<ReadEvent, boolean> {
  const { ctx, configured } = followed
  const schema = columnsOf(configured.stream.json_schema).filter(
    ({ name }) => !configured.selectedFields || configured.selectedFields.includes(name),
  )
  let at = 0
  for await (const batch of changesOf(ctx).read(part)) {
    at += 1
    if (at <= (state.skip ?? 0)) continue
    if (batch.kind === 'records' && batch.note !== undefined) {
      const { stream, note: message } = batch
      yield { type: 'log', stream, level: 'warn', message, warning: 'CHANGES_NOT_IN_LOG' }
      continue
    }
    if (await isBehind(followed, batch.schema)) {
      state.skip = at - 1
      yield stateEvent(followed, state)
      return true
    }
    yield { type: 'batch', batch: await wholeIn(schema, followed, batch) }
  }
  state.segment = part.segment
  state.position = part.position
  delete state.skip
  yield stateEvent(followed, state)
  return false
}

/** The sync's plan is behind the table: the next one knows the new columns, and goes on from here. */
async function* endEarly(followed: FollowedStream, state: CdcState): AsyncGenerator<ReadEvent> {
  const stream = streamKey(followed.configured.stream)
  const place = followed.printPosition(state.position)
  const message = `The columns of ${stream} changed while it was read, in the log after ${place}.`
  if (state.rightFrom !== undefined) {
    throw new AirbyteError('STREAM_INCOMPLETE', message, {
      stream,
      hint: 'Sync again: it goes on from there with the columns as they are now.',
    })
  }
  yield {
    type: 'log',
    stream,
    level: 'warn',
    message: `${message} The next sync goes on from there.`,
  }
}

/**
 * Whether the log tells columns that the table has by now and that were unknown, or of another type,
 * when this sync was planned. Columns that the table had once are no reason to stop.
 */
async function isBehind(followed: FollowedStream, told: Column[]): Promise<boolean> {
  const { configured, isSameType } = followed
  const known = new Map(columnsOf(configured.stream.json_schema).map((c) => [c.name, c]))
  const odd = told.filter((column) => {
    const found = known.get(column.name)
    return !found || !isSameType(found, column)
  })
  if (odd.length === 0) return false
  const columns = await followed.columnsNow()
  return odd.some(({ name }) => {
    const now = columns.find((column) => column.name === name)
    const found = known.get(name)
    return now !== undefined && (!found || !isSameType(found, now))
  })
}

/** The batch in these columns, with what the log left out. COPY text that has them is not touched. */
async function wholeIn(
  schema: Column[],
  { configured, complete }: FollowedStream,
  batch: Batch,
): Promise<Batch> {
  if (batch.kind === 'records') return alignTo(schema, complete ? await complete(batch) : batch)
  const isAligned =
    batch.schema.length === schema.length &&
    schema.every(({ name }, place) => batch.schema[place]?.name === name)
  if (isAligned && configured.format === batch.format) return batch
  return alignTo(schema, decodeCopyText(batch.bytes, batch.schema, batch))
}

/** The batch in these columns: those that the log did not have are null. */
function alignTo(schema: Column[], batch: RecordBatch): RecordBatch {
  const places = new Map(batch.schema.map(({ name }, index) => [name, index]))
  const names = new Set(schema.map(({ name }) => name))
  const changes = batch.changes?.filter(({ field }) => names.has(field))
  const { changes: _changes, ...rest } = batch
  return {
    ...rest,
    schema: schema.map((column) => batch.schema[places.get(column.name) ?? -1] ?? column),
    columns: schema.map(
      ({ name }) =>
        batch.columns[places.get(name) ?? -1] ?? new Array<Cell>(batch.length).fill(null),
    ),
    ...(changes?.length ? { changes } : {}),
  }
}

const sameJson = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
