import { freezeBound, parseLsn, printLsn } from '../../../../src/cdc/postgres/index.ts'
import {
  AirbyteError,
  columnsOf,
  type ErrorRecord,
  fromRecord,
  type ReadEvent,
  type RecordBatch,
  type StreamState,
  streamKey,
} from '../../../../src/protocol/index.ts'
import type { LogPart } from '../../../../src/runtime/source-log.ts'
import { readFullRefresh } from '../full-refresh.ts'
import { openReader, type StreamInput } from '../reader.ts'
import { alignTo, isBehind } from './align.ts'
import { withCdcColumns } from './columns.ts'
import { fillUnchanged } from './fill.ts'
import { changesOf } from './freeze.ts'
import { withClient } from './setup.ts'
import { asState, type CdcBound, type CdcState, hasPassed, parseCdcState } from './state.ts'

/** How long a slice waits for the log, in all, before it gives its place to others. */
const WAIT_MS = 1_500
const COME_BACK_MS = 500
const HOLD_MS = 30_000

/**
 * A stream of the log: the table as it is, and then its changes since before the first row was read, up
 * to the end of the log as it was when the sync began, or when the last row of the snapshot was read.
 */
export async function* readChanges(
  input: StreamInput,
  saved: StreamState | undefined,
): AsyncGenerator<ReadEvent> {
  const stream = streamKey(input.configured.stream)
  const bound = input.configured.upperBound as unknown as CdcBound | undefined
  if (bound?.error) throw fromRecord(bound.error as unknown as ErrorRecord)
  if (bound?.type !== 'cdc') {
    throw new AirbyteError('STATE_INVALID', `The end of the log is not known for ${stream}.`, {
      stream,
      hint: 'Sync again.',
    })
  }
  const state = parseCdcState(saved, bound, stream)
  if (state.snapshot) yield* readSnapshot(input, state, bound)
  yield* readLog(input, state, bound)
}

const stateEvent = ({ configured }: StreamInput, state: CdcState): ReadEvent => ({
  type: 'state',
  stream: streamKey(configured.stream),
  state: asState(state),
})

async function* readSnapshot(
  input: StreamInput,
  state: CdcState,
  bound: CdcBound,
): AsyncGenerator<ReadEvent> {
  const { ctx, client, config, configured } = input
  const changes = changesOf(ctx)
  const snapshot = { ...configured, upperBound: bound.snapshot }
  const reader = await openReader(ctx, client, config, snapshot, (relation) =>
    withCdcColumns(relation, parseLsn(state.since)),
  )
  const { rows } = reader.relation
  if (rows !== null) yield { type: 'estimate', stream: reader.key, rows }
  let held = ctx.now()
  for await (const event of readFullRefresh(reader, state.snapshot?.state)) {
    if (ctx.now() - held >= HOLD_MS) {
      held = ctx.now()
      await changes.hold()
    }
    if (event.type !== 'state') yield event
    else {
      state.snapshot = { state: event.state }
      yield stateEvent(input, state)
    }
  }
  // What a chunk saw may be of any time up to now: the stream is right once it has read the log up to here.
  state.rightFrom = printLsn(await withClient(ctx, config, freezeBound))
  delete state.snapshot
  yield stateEvent(input, state)
}

async function* readLog(
  input: StreamInput,
  state: CdcState,
  { lsn }: CdcBound,
): AsyncGenerator<ReadEvent> {
  const { ctx, configured } = input
  const stream = streamKey(configured.stream)
  const changes = changesOf(ctx)
  const goal = state.rightFrom && parseLsn(state.rightFrom) > parseLsn(lsn) ? state.rightFrom : lsn
  for (let waited = 0; !hasPassed(state.position, goal); ) {
    const began = ctx.now()
    const { parts, end } = await changes.next(state.log, stream, state, WAIT_MS)
    for (const part of parts) {
      if (yield* readPart(input, state, part)) return yield* endEarly(input, state)
      if (hasPassed(state.position, goal)) break
    }
    if (parts.length > 0) continue
    if (end.segment > state.segment || !sameJson(end.position, state.position)) {
      state.segment = end.segment
      state.position = end.position
      delete state.skip
      yield stateEvent(input, state)
    }
    waited += ctx.now() - began
    if (hasPassed(state.position, goal) || waited < WAIT_MS) continue
    const reason = `The log is staged up to ${end.position.confirmed}; this sync reads up to ${goal}.`
    yield { type: 'wait', stream, until: ctx.now() + COME_BACK_MS, reason }
    waited = 0
  }
  delete state.rightFrom
  yield stateEvent(input, state)
}

/** True if the part holds columns of which this sync knows nothing: what is before them was read. */
async function* readPart(
  input: StreamInput,
  state: CdcState,
  part: LogPart,
): AsyncGenerator<ReadEvent, boolean> {
  const { ctx, client, configured } = input
  const { stream, primaryKey, selectedFields, keepsUnchanged } = configured
  const schema = columnsOf(configured.stream.json_schema).filter(
    ({ name }) => !selectedFields || selectedFields.includes(name),
  )
  let at = 0
  for await (const batch of changesOf(ctx).read(part)) {
    at += 1
    if (at <= (state.skip ?? 0)) continue
    if (await isBehind(input, batch.schema)) {
      state.skip = at - 1
      yield stateEvent(input, state)
      return true
    }
    const key = primaryKey.flatMap((path) => path.slice(0, 1))
    const whole = keepsUnchanged
      ? batch
      : await fillUnchanged(client, stream, key, batch, allRows(batch))
    yield { type: 'batch', batch: alignTo(schema, whole) }
  }
  state.segment = part.segment
  state.position = part.position
  delete state.skip
  yield stateEvent(input, state)
  return false
}

/** The sync's plan is behind the table: the next one knows the new columns, and goes on from here. */
async function* endEarly(input: StreamInput, state: CdcState): AsyncGenerator<ReadEvent> {
  const stream = streamKey(input.configured.stream)
  const place = String(state.position.confirmed)
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

const allRows = ({ length }: RecordBatch) => new Set(Array.from({ length }, (_, row) => row))

const sameJson = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
