import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseArguments } from '../../../src/cli/connector/arguments.ts'
import {
  catalogOf,
  messagesOf,
  runConnector,
  runHere,
  serve,
  startConnector,
  type TestServer,
  workFolder,
} from './process.ts'

const MANIFEST = `
version: 6.0.0
type: DeclarativeSource
check: { type: CheckStream, stream_names: [days] }
definitions:
  requester:
    type: HttpRequester
    url_base: "{{ config['base'] }}"
    authenticator: { type: BearerAuthenticator, api_token: "{{ config['key'] }}" }
streams:
  - type: DeclarativeStream
    name: days
    retriever:
      type: SimpleRetriever
      requester: { $ref: '#/definitions/requester', path: days }
      record_selector: { type: RecordSelector, extractor: { type: DpathExtractor, field_path: [] } }
    incremental_sync:
      type: DatetimeBasedCursor
      cursor_field: day
      datetime_format: '%Y-%m-%d'
      start_datetime: '2020-01-01'
      end_datetime: '2026-01-01'
      step: P1D
      cursor_granularity: P1D
      start_time_option: { type: RequestOption, inject_into: request_parameter, field_name: day }
    schema_loader: { type: InlineSchemaLoader, schema: { type: object, properties: { day: { type: string } } } }
  - type: DeclarativeStream
    name: echo
    retriever:
      type: SimpleRetriever
      requester: { $ref: '#/definitions/requester', path: echo }
      record_selector: { type: RecordSelector, extractor: { type: DpathExtractor, field_path: [] } }
    schema_loader: { type: InlineSchemaLoader, schema: { type: object, properties: { id: { type: integer } } } }
  - type: DeclarativeStream
    name: busy
    retriever:
      type: SimpleRetriever
      requester:
        $ref: '#/definitions/requester'
        path: busy
        error_handler:
          type: DefaultErrorHandler
          backoff_strategies: [{ type: WaitTimeFromHeader, header: Retry-After }]
      record_selector: { type: RecordSelector, extractor: { type: DpathExtractor, field_path: [] } }
    schema_loader: { type: InlineSchemaLoader, schema: { type: object, properties: { id: { type: integer } } } }
  - type: DeclarativeStream
    name: large
    retriever:
      type: SimpleRetriever
      requester: { $ref: '#/definitions/requester', path: large }
      record_selector: { type: RecordSelector, extractor: { type: DpathExtractor, field_path: [] } }
      paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: page }
        pagination_strategy: { type: PageIncrement, page_size: 100 }
    schema_loader: { type: InlineSchemaLoader, schema: { type: object, properties: { id: { type: integer } } } }
spec:
  type: Spec
  connection_specification:
    type: object
    required: [key]
    properties: { key: { type: string, airbyte_secret: true }, base: { type: string } }
`
const SECRET = 'open-sesame-41'

let folder: ReturnType<typeof workFolder>
let api: TestServer
let manifest: string
let config: string
let largePages = 0
let largeText = ''

beforeAll(async () => {
  folder = workFolder()
  largeText = JSON.stringify(
    Array.from({ length: 100 }, (_, id) => ({ id, text: 'x'.repeat(2000) })),
  )
  api = await serve((request, response) => {
    const url = new URL(request.url ?? '', 'http://api')
    if (url.pathname === '/days') {
      const day = url.searchParams.get('day')
      setTimeout(() => response.end(JSON.stringify([{ day }])), 20)
    } else if (url.pathname === '/busy') {
      response.writeHead(429, { 'retry-after': '3600' }).end('{}')
    } else if (url.pathname === '/large') {
      largePages++
      response.end(largeText)
    } else {
      response.writeHead(403)
      response.end(JSON.stringify({ message: `no entry for ${request.headers.authorization}` }))
    }
  })
  manifest = folder.write('manifest.yaml', MANIFEST)
  config = folder.write('config.yaml', `base: ${api.url}\nkey: ${SECRET}\n`)
})
afterAll(() => {
  api?.stop()
  folder?.remove()
})

const read = (...more: string[]) => ['read', '--manifest', manifest, '--config', config, ...more]
const catalog = (streams: Record<string, string>) =>
  folder.write(`${Object.keys(streams).join('-')}.json`, catalogOf(streams))

describe('airbyte connector', () => {
  it('says what is wrong with a command line, and ends with 2', async () => {
    const wrong: [string[], string][] = [
      [[], 'Which command? One of spec, check'],
      [['fetch'], "There is no command 'connector fetch'."],
      [['read', '--config', 'c', '--catalog', 'k'], 'A name or --manifest is missing.'],
      [['check', 'postgres'], '--config is missing. See airbyte connector check --help.'],
      [['check', 'postgres', '--confg', 'c'], 'Did you mean --config?'],
      [['spec', 'postgres', '--manifest', 'm'], "Either 'postgres' or --manifest, not both."],
      [['spec', 'postgres', '--state', 's'], "'connector spec' takes no --state."],
      [['check', 'one', 'two', '--config', 'c'], "'two' is one argument too many."],
      [
        ['read', 'postgres', '--config', '-', '--catalog', '-'],
        'Only one of config and catalog can come from standard input.',
      ],
    ]
    for (const [args, message] of wrong) {
      expect(() => parseArguments(args)).toThrow(message)
    }
    const done = await runHere(['fetch'])
    expect([done.code, done.stdout]).toEqual([2, ''])
    expect(done.stderr).toContain("There is no command 'connector fetch'.")
  }, 60_000)

  it('shows its help', async () => {
    expect((await runConnector(['--help'])).stdout).toContain('usage: airbyte connector <command>')
    const { code, stdout } = await runHere(['read', '--help'])
    expect([code, stdout]).toEqual([0, expect.stringContaining('--catalog')])
  }, 60_000)

  it('runs a connector of the catalog, by its own name or by that of its image', async () => {
    const { code, messages } = await runHere(['spec', 'source-sample-data'])
    expect(code).toBe(0)
    expect(messages[0]?.spec.connectionSpecification.properties).toHaveProperty('count')
    const destination = await runHere(['spec', 'destination-postgres'])
    expect(destination.messages[0]?.spec.supported_destination_sync_modes).toEqual([
      ...['append', 'overwrite', 'append_dedup'],
    ])
    const unknown = await runHere(['spec', 'postgress'])
    expect(unknown.code).toBe(1)
    expect(unknown.messages[0]?.trace.error).toMatchObject({
      failure_type: 'config_error',
      message: "There is no source 'postgress'. Did you mean postgres?",
    })
  }, 90_000)

  it('reads a native source, with its config from standard input', async () => {
    const users = folder.write('users.json', {
      streams: [
        {
          stream: {
            name: 'users',
            json_schema: {
              type: 'object',
              properties: { id: { type: 'integer' }, name: { type: 'string' } },
            },
          },
          sync_mode: 'full_refresh',
          destination_sync_mode: 'overwrite',
        },
      ],
    })
    const { code, messages } = await runHere(
      ['read', 'sample-data', '--config', '-', '--catalog', users],
      { input: '{"count": 3}' },
    )
    expect(code).toBe(0)
    const records = messages.flatMap(({ record }) => record ?? [])
    expect(records.map(({ data }) => data.id)).toEqual([1, 2, 3])
    expect(records[0]?.emitted_at).toBeGreaterThan(Date.UTC(2020, 0))
    const states = messages.flatMap(({ state }) => state ?? [])
    const counts = states.map(({ sourceStats }) => sourceStats.recordCount)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(3)
  }, 60_000)

  it('tells no secret of the config', async () => {
    const { code, stdout, messages } = await runHere(
      read('--catalog', catalog({ echo: 'full_refresh' }), '--debug'),
    )
    expect(code).toBe(1)
    const error = messages.find(({ trace }) => trace?.error?.stream_descriptor)?.trace.error
    expect(error.message).toContain('no entry for Bearer **********')
    expect(stdout).not.toContain(SECRET)
    const check = await runHere(['check', '--manifest', manifest, '--config', config])
    expect(check.stdout).not.toContain(SECRET)
  }, 60_000)

  it('takes secrets from the environment', async () => {
    const given = folder.write('env.json', { base: api.url, key: '$' + '{env:API_KEY}' })
    const streams = catalog({ echo: 'full_refresh' })
    const { messages } = await runConnector(
      ['read', '--manifest', manifest, '--config', given, '--catalog', streams],
      { env: { API_KEY: 'from-the-shell' } },
    )
    const error = messages.find(({ trace }) => trace?.error?.stream_descriptor)?.trace.error
    expect(error.message).toMatch(/no entry for Bearer \*+ /)
  }, 60_000)

  it('goes on from the lines that an earlier read printed', async () => {
    const day = (text: string) => ({
      ...{ type: 'STREAM', stream: streamState('days', { day: text }) },
      sourceStats: { recordCount: 1 },
    })
    const lines = [
      { type: 'RECORD', record: { stream: 'days', data: {}, emitted_at: 1 } },
      { type: 'STATE', state: day('2020-03-01') },
      { type: 'STATE', state: day('2025-12-30') },
      { type: 'LOG', log: { level: 'INFO', message: 'the end' } },
    ]
    for (const state of [
      lines.map((line) => JSON.stringify(line)).join('\n'),
      JSON.stringify([day('2025-12-30')]),
      JSON.stringify(day('2025-12-30')),
      JSON.stringify([
        { type: 'GLOBAL', global: { stream_states: [streamState('days', { day: '2025-12-30' })] } },
      ]),
    ]) {
      const { code, messages } = await runHere(
        read('--catalog', catalog({ days: 'incremental' }), '--state', '-'),
        { input: state },
      )
      expect(code).toBe(0)
      const days = messages.flatMap(({ record }) => record?.data.day ?? [])
      expect(days).toEqual(['2025-12-30', '2025-12-31'])
    }
  }, 120_000)

  it('refuses a state that is none', async () => {
    const state = folder.write('state.json', { cursor: 5 })
    const { code, messages } = await runHere(
      read('--catalog', catalog({ days: 'incremental' }), '--state', state),
    )
    expect([code, messages[0]?.trace.error.internal_message]).toEqual([
      ...[1, expect.stringContaining('STATE_INVALID')],
    ])
  }, 60_000)

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`ends after a state on ${signal}, and goes on from there`, async () => {
      const child = startConnector(read('--catalog', catalog({ days: 'incremental' })))
      let seen = ''
      child.stdout?.on('data', (bytes) => {
        seen += bytes
      })
      while (!seen.includes('"STATE"')) await once(child.stdout ?? child, 'data')
      child.kill(signal)
      const [code] = await once(child, 'exit')
      expect(code).toBe(signal === 'SIGINT' ? 130 : 143)
      const messages = messagesOf(seen)
      const last = messages.findLastIndex(({ type }) => type === 'STATE')
      expect(messages.slice(last + 1).some(({ type }) => type === 'RECORD')).toBe(false)
      expect(messages.at(-1)?.trace.stream_status.status).toBe('INCOMPLETE')
      const days = messages.flatMap(({ record }) => record?.data.day ?? [])
      const cursor = messages[last]?.state.stream.stream_state.day
      expect(cursor).toBe(days.at(-1))

      const state = folder.write('again.json', [messages[last]?.state])
      const again = startConnector(
        read('--catalog', catalog({ days: 'incremental' }), '--state', state),
      )
      let first = ''
      again.stdout?.on('data', (bytes) => {
        first += bytes
      })
      while (!first.includes('"RECORD"')) await once(again.stdout ?? again, 'data')
      again.kill('SIGKILL')
      await once(again, 'exit')
      expect(messagesOf(first.slice(0, first.lastIndexOf('\n')))).toContainEqual(
        expect.objectContaining({ record: expect.objectContaining({ data: { day: cursor } }) }),
      )
    }, 60_000)
  }

  it('does not wait for an API that asks to wait once it is told to end', async () => {
    const child = startConnector(read('--catalog', catalog({ busy: 'full_refresh' })))
    let seen = ''
    child.stdout?.on('data', (bytes) => {
      seen += bytes
    })
    while (!seen.includes('nothing to read before')) await once(child.stdout ?? child, 'data')
    const began = Date.now()
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')
    expect(code).toBe(143)
    // Otherwise it is given ten seconds to come to a state.
    expect(Date.now() - began).toBeLessThan(9000)
    const statuses = messagesOf(seen).flatMap(({ trace }) => trace?.stream_status ?? [])
    expect(statuses.map(({ status }) => status)).toEqual(['STARTED', 'RUNNING', 'INCOMPLETE'])
    expect(statuses[1].reasons[0]).toMatchObject({
      ...{ type: 'RATE_LIMITED', rate_limited: { quota_reset: expect.any(Number) } },
    })
  }, 60_000)

  it('asks for no more pages than the reader of its lines takes', async () => {
    largePages = 0
    const child = startConnector(read('--catalog', catalog({ large: 'full_refresh' })))
    // The first line is taken and no other.
    child.stdout?.once('readable', () => child.stdout?.read(1))
    let before = -1
    while (largePages === 0 || largePages !== before) {
      before = largePages
      await new Promise((resolve) => setTimeout(resolve, 2000))
    }
    // Of 200 kB each; a pipe and a few buffers hold some of them.
    expect(largePages).toBeLessThan(10)
    child.kill('SIGKILL')
  }, 60_000)

  it('ends when nobody reads its lines any more', async () => {
    const child = startConnector(read('--catalog', catalog({ large: 'full_refresh' })))
    await once(child.stdout ?? child, 'data')
    child.stdout?.destroy()
    const [code] = await once(child, 'exit')
    expect(code).toBe(1)
  }, 60_000)
})

const streamState = (name: string, stream_state: object) => ({
  ...{ stream_descriptor: { name }, stream_state },
})
