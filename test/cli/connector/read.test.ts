import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { LineOutput } from '../../../src/cli/connector/output.ts'
import { readAsMessages } from '../../../src/cli/connector/read.ts'
import type { ConfiguredStream, JsonObject, ReadEvent } from '../../../src/protocol/index.ts'
import { AirbyteError } from '../../../src/protocol/index.ts'
import type { ReadState, Source } from '../../../src/runtime/contract.ts'
import { testContext } from '../../conformance/context.ts'
import { messagesOf } from './process.ts'

/** A source that emits what it is told, stream by stream. */
function sourceOf(read: Source['read']): Source {
  return {
    info: {
      ...{ name: 'told', title: 'Told', definitionId: 'told', version: '1', evidence: 'fixtures' },
    },
    capabilities: { formats: [], rereadable: true },
    spec: () => ({ connectionSpecification: {} }),
    check: async () => ({ ok: true }),
    discover: async () => ({ streams: [] }),
    read,
  }
}

const configured = (name: string): ConfiguredStream => ({
  stream: { name, json_schema: {}, supported_sync_modes: ['incremental'] },
  ...{ syncMode: 'incremental', destinationSyncMode: 'append', cursorField: [], primaryKey: [] },
  ...{ generationId: 0, minimumGenerationId: 0, syncId: 0, format: 'records' },
})

async function printed(
  source: Source,
  names: string[],
  state: ReadState = { streams: new Map() },
  stop = { requested: false, idle: false },
) {
  const stream = new PassThrough()
  const out = new LineOutput(stream)
  const configs: JsonObject[] = []
  const outcome = await readAsMessages({
    ...{ source, ctx: testContext(), config: { a: 1 }, streams: names.map(configured), state, out },
    stop,
    scrub: (line) => line.replaceAll('secret', '*'),
    onConfig: (config) => configs.push(config),
  })
  await out.end()
  stream.end()
  return { outcome, configs, messages: messagesOf(await text(stream)) }
}

const row = (stream: string, id: number, more: object = {}): ReadEvent => ({
  type: 'batch',
  batch: {
    ...{ kind: 'records', stream, schema: [{ name: 'id', type: 'integer' }], length: 1 },
    ...{ columns: [[id]], extractedAt: 5, ...more },
  },
})
const begun = (stream: string): ReadEvent => ({ type: 'status', stream, status: 'started' })
const complete = (stream: string): ReadEvent => ({ type: 'status', stream, status: 'complete' })

describe('the events of a read as Airbyte messages', () => {
  it('are records with their changes, estimates, logs and configs', async () => {
    const source = sourceOf(async function* () {
      yield begun('a')
      yield { type: 'estimate', stream: 'a', rows: 2, bytes: 10 }
      yield { type: 'log', stream: 'a', level: 'warn', message: 'a secret' }
      yield { type: 'control', config: { token: 'secret' } }
      yield row('space.a', 1, {
        changes: [{ row: 0, field: 'x', change: 'NULLED', reason: 'SOURCE_FIELD_SIZE_LIMITATION' }],
      })
      yield complete('a')
    })
    const { messages, configs } = await printed(source, ['a'])
    expect(messages.map(({ type, trace }) => trace?.type ?? type)).toEqual([
      ...['STREAM_STATUS', 'ESTIMATE', 'LOG', 'CONTROL', 'RECORD', 'STATE', 'STREAM_STATUS'],
    ])
    expect(messages[1]?.trace.estimate).toEqual({
      ...{ name: 'a', type: 'STREAM', row_estimate: 2, byte_estimate: 10 },
    })
    expect(messages[2]?.log).toEqual({ level: 'WARN', message: 'a *' })
    expect(messages[3]?.control.connectorConfig).toEqual({ config: { token: 'secret' } })
    expect(messages[4]?.record).toEqual({
      ...{ stream: 'a', namespace: 'space', data: { id: 1 }, emitted_at: 5 },
      meta: {
        changes: [{ field: 'x', change: 'NULLED', reason: 'SOURCE_FIELD_SIZE_LIMITATION' }],
      },
    })
    expect(configs).toEqual([{ token: 'secret' }])
  })

  it('are one state for all streams where the source has a shared one', async () => {
    const source = sourceOf(async function* () {
      yield begun('a')
      yield begun('b')
      yield row('a', 1)
      yield { type: 'state', stream: 'a', state: { at: 1 }, shared: { lsn: 7 } }
      yield row('b', 1)
      yield { type: 'state', stream: 'b', state: { at: 2 }, shared: { lsn: 9 } }
      yield complete('a')
      yield complete('b')
    })
    const { messages } = await printed(source, ['a', 'b'])
    const states = messages.flatMap(({ state }) => state ?? [])
    expect(states.at(-1)).toEqual({
      type: 'GLOBAL',
      global: {
        shared_state: { lsn: 9 },
        stream_states: [
          { stream_descriptor: { name: 'a' }, stream_state: { at: 1 } },
          { stream_descriptor: { name: 'b' }, stream_state: { at: 2 } },
        ],
      },
      sourceStats: { recordCount: 1 },
    })
  })

  it('go on with the streams that were not begun when one fails for a while', async () => {
    const read = sourceOf(async function* (_ctx, _config, streams) {
      for (const { stream } of streams) {
        yield begun(stream.name)
        if (stream.name === 'b') throw new AirbyteError('UPSTREAM_ERROR', 'no secret')
        yield row(stream.name, 1)
        yield complete(stream.name)
      }
    })
    const { outcome, messages } = await printed(read, ['a', 'b', 'c'])
    expect(outcome).toEqual({ failed: ['b'], stopped: false })
    const statuses = messages.flatMap(({ trace }) => trace?.stream_status ?? [])
    expect(statuses.map(({ stream_descriptor: { name }, status }) => `${name} ${status}`)).toEqual([
      ...['a STARTED', 'a COMPLETE', 'b STARTED', 'b INCOMPLETE', 'c STARTED', 'c COMPLETE'],
    ])
    const [error] = messages.flatMap(({ trace }) => trace?.error ?? [])
    expect(error).toMatchObject({
      ...{ message: 'no *', failure_type: 'transient_error', stream_descriptor: { name: 'b' } },
    })
  })

  it('say what is wrong with a stream that fails on its way to the end of a read', async () => {
    const stop = { requested: false, idle: false }
    const source = sourceOf(async function* () {
      yield begun('a')
      stop.requested = true
      yield row('a', 1)
      throw new AirbyteError('UPSTREAM_ERROR', 'no answer')
    })
    const { outcome, messages } = await printed(source, ['a', 'b'], undefined, stop)
    expect(outcome).toEqual({ failed: ['a'], stopped: true })
    expect(messages.flatMap(({ trace }) => trace?.error ?? [])).toMatchObject([
      { message: 'no answer', failure_type: 'transient_error' },
    ])
  })

  it('print a state that has not changed only at the end', async () => {
    const source = sourceOf(async function* () {
      yield begun('a')
      yield row('a', 1)
      yield { type: 'state', stream: 'a', state: { at: 1 } }
      yield row('a', 2)
      yield { type: 'state', stream: 'a', state: { at: 1 } }
      yield row('a', 3)
      yield complete('a')
    })
    const { messages } = await printed(source, ['a'], { streams: new Map([['a', { at: 1 }]]) })
    const states = messages.flatMap(({ state }) => state ?? [])
    expect(states.map(({ sourceStats }) => sourceStats.recordCount)).toEqual([3])
  })
})
