import {
  AirbyteError,
  type ConfiguredStream,
  type ReadEvent,
  type StreamKey,
  streamKey,
  toAirbyteError,
} from '../../protocol/index.ts'
import type { ReadState } from '../contract.ts'
import { batcher } from './batches.ts'
import type { Component } from './component.ts'
import type { Environment } from './environment.ts'
import { fileUploader } from './files/uploader.ts'
import type { SourceEnvironment } from './open.ts'
import { ChangeOrder } from './stream/change-order.ts'
import { openStream } from './stream/delegate.ts'
import { type ListedStream, listStreams } from './stream/list.ts'
import { readPages } from './stream/read-pages.ts'
import { parseState, type SavedState } from './stream/state.ts'

/**
 * Reads the streams one after the other. What is wrong with one stream ends that stream with an
 * `error` event; a transient failure, a rate limit or an abort ends the read.
 */
export async function* readStreams(
  root: Component,
  env: SourceEnvironment,
  streams: ConfiguredStream[],
  state: ReadState,
): AsyncGenerator<ReadEvent> {
  try {
    yield* readEach(root, env, streams, state)
  } finally {
    await env.run.budget?.close()
  }
}

async function* readEach(
  root: Component,
  env: SourceEnvironment,
  streams: ConfiguredStream[],
  state: ReadState,
): AsyncGenerator<ReadEvent> {
  env.run.configured = new Map(streams.map((one) => [one.stream.name, one]))
  env.run.readsAhead = true
  if (env.migrated) yield { type: 'control', config: env.migrated }
  const listed = await listStreams(root, env)
  const pending: ReadEvent[] = []
  env.run.onConfig = (config) => pending.push({ type: 'control', config })
  for (const configured of streams) {
    const stream = streamKey(configured.stream)
    env.run.onRateLimit = (_name, rateLimitedUntil) =>
      pending.push({ type: 'status', stream, status: 'running', rateLimitedUntil })
    yield { type: 'status', stream, status: 'started' }
    try {
      const found = listed.find(({ name }) => name === configured.stream.name)
      for await (const event of readStream(found, env, configured, state)) {
        yield* pending.splice(0)
        yield event
        if (env.ctx.signal.aborted) throw cancelled(stream)
      }
      yield* pending.splice(0)
      yield { type: 'status', stream, status: 'complete' }
    } catch (error) {
      yield* pending.splice(0)
      if (env.ctx.signal.aborted) throw cancelled(stream)
      const known = toAirbyteError(error)
      if (known.kind === 'transient') throw known
      yield { type: 'error', stream, error: known.toJSON() }
      yield { type: 'status', stream, status: 'incomplete' }
    }
  }
}

const cancelled = (stream: StreamKey) =>
  new AirbyteError('CANCELLED', 'The read was cancelled.', { stream })

async function* readStream(
  found: ListedStream | undefined,
  env: Omit<Environment, 'stream'>,
  configured: ConfiguredStream,
  state: ReadState,
): AsyncGenerator<ReadEvent> {
  const key = streamKey(configured.stream)
  if (!found) {
    throw new AirbyteError('STREAM_NOT_FOUND', `The source has no stream '${key}'.`, {
      stream: key,
    })
  }
  const { stream, saved: start } = openStream(
    found.component,
    { ...env, stream: found.name },
    startOf(parseState(state.streams.get(key)), configured),
  )
  const toBatches = batcher(configured, env.ctx)
  const upload = configured.files && fileUploader(stream, configured.files.prefix)
  const order = ChangeOrder.of(configured, env.run.newestFirst, start.newestFirst)
  let running = false
  for await (const page of readPages(stream, start, configured.syncMode)) {
    await upload?.(page.records)
    for (const batch of toBatches(order?.arrange(page.records) ?? page.records)) {
      if (!running) yield { type: 'status', stream: key, status: 'running' }
      running = true
      yield { type: 'batch', batch }
    }
    if (page.clings && env.ctx.budget.exhausted()) continue
    const saved = page.after()
    if (!saved.at && configured.syncMode === 'full_refresh') saved.done = true
    const reached = { ...saved, ...(saved.at ? order?.save() : {}) }
    yield { type: 'state', stream: key, state: reached, ...(page.keep && { keep: true }) }
    if (page.wait) {
      const { until, message: reason, failure } = page.wait
      yield { type: 'wait', stream: key, until, reason, ...(failure && { code: failure.code }) }
    }
  }
}

/**
 * An incremental read goes on from what the last one completed; a full refresh goes on only within
 * itself, and starts without what an incremental read knew.
 */
function startOf({ done, ...saved }: SavedState, { syncMode }: ConfiguredStream): SavedState {
  if (syncMode === 'incremental' || saved.at) return saved
  return done ? { ...saved, done } : { ...saved, airbyte: {} }
}
