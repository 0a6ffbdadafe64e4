import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { messagesOf, runHere, startConnector, workFolder } from './process.ts'

let folder: ReturnType<typeof workFolder>
let client: Client
let postgres: string

beforeAll(async () => {
  folder = workFolder()
  const url = new URL(inject('pgUrl'))
  client = new Client(inject('pgUrl'))
  await client.connect()
  postgres = folder.write('postgres.json', {
    ...{ host: url.hostname, port: Number(url.port), database: url.pathname.slice(1) },
    ...{ username: url.username, password: url.password, schema: 'cli_write' },
    ssl_mode: { mode: 'disable' },
  })
})
afterAll(async () => {
  await client?.query('DROP SCHEMA IF EXISTS cli_write CASCADE')
  await client?.end()
  folder?.remove()
})

const PEOPLE = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    name: { type: ['string', 'null'] },
    balance: { type: ['number', 'null'] },
    extra: { type: ['object', 'null'] },
  },
}

const configured = (name: string, more: object = {}) => ({
  stream: { name, json_schema: PEOPLE, supported_sync_modes: ['full_refresh', 'incremental'] },
  ...{ sync_mode: 'full_refresh', destination_sync_mode: 'append', primary_key: [['id']] },
  ...more,
})
const catalog = (name: string, ...streams: object[]) => folder.write(`${name}.json`, { streams })

const record = (stream: string, data: object) => ({
  ...{ type: 'RECORD', record: { stream, data, emitted_at: 1_760_000_000_000 } },
})
const state = (stream: string, value: object) => ({
  type: 'STATE',
  state: {
    type: 'STREAM',
    stream: { stream_descriptor: { name: stream }, stream_state: value },
    sourceStats: { recordCount: 1 },
  },
})
const ended = (stream: string, status = 'COMPLETE') => ({
  type: 'TRACE',
  trace: {
    ...{ type: 'STREAM_STATUS', emitted_at: 1 },
    stream_status: { stream_descriptor: { name: stream }, status },
  },
})
const lines = (...messages: object[]) => messages.map((m) => `${JSON.stringify(m)}\n`).join('')

const write = (catalogPath: string, input: string, config = postgres) =>
  runHere(['write', 'postgres', '--config', config, '--catalog', catalogPath], { input })

const rowsOf = async (table: string) =>
  (await client.query(`SELECT id, name, balance, extra FROM cli_write.${table} ORDER BY id`)).rows

describe('airbyte connector write', () => {
  it('commits rows and prints the states that they stand before', async () => {
    const path = catalog('people', configured('people'))
    const input = [
      lines(record('people', { id: 1, name: 'Ada', balance: 1.5, extra: { a: [1] } })),
      // Digits that a double cannot hold.
      '{"type":"RECORD","record":{"stream":"people","data":{"id":9007199254740993,"balance":0.1000000000000000055,"extra":{"n":12345678901234567890}},"emitted_at":1760000000001}}\n',
      lines(state('people', { page: 1 })),
      'this line is no message\n',
      lines({ type: 'LOG', log: { level: 'INFO', message: 'hello' } }),
      lines(record('people', { id: 3, name: null, surprise: 1 }), state('people', { page: 2 })),
      lines(ended('people')),
    ].join('')
    const { code, messages, stderr } = await write(path, input)
    expect([code, stderr]).toEqual([0, ''])
    const states = messages.filter(({ type }) => type === 'STATE')
    expect(states.map((message) => message.state.stream.stream_state)).toEqual([
      ...[{ page: 1 }, { page: 2 }],
    ])
    expect(states.map((message) => message.state.destinationStats)).toEqual([
      ...[{ recordCount: 2 }, { recordCount: 1 }],
    ])
    expect(states[0]?.state.sourceStats).toEqual({ recordCount: 1 })
    const logs = messages.flatMap(({ log }) => log?.message ?? [])
    expect(logs).toEqual(["people: the field 'surprise' is not in the catalog; left out."])
    expect(await rowsOf('people')).toEqual([
      { id: '1', name: 'Ada', balance: '1.5', extra: { a: [1] } },
      { id: '3', name: null, balance: null, extra: null },
      {
        ...{ id: '9007199254740993', name: null, balance: '0.1000000000000000055' },
        extra: { n: Number('12345678901234567890') },
      },
    ])
    const { rows } = await client.query(
      `SELECT extra::text, _airbyte_extracted_at FROM cli_write.people WHERE id = 9007199254740993`,
    )
    expect(rows[0].extra).toContain('12345678901234567890')
    expect(rows[0]._airbyte_extracted_at.getUTCFullYear()).toBe(2025)
  }, 60_000)

  it('replaces a table only when its stream is complete', async () => {
    const mode = { destination_sync_mode: 'overwrite' }
    const path = catalog('items', configured('items', mode))
    const first = lines(record('items', { id: 1, name: 'old' }), ended('items'))
    expect((await write(path, first)).code).toBe(0)
    const half = await write(path, lines(record('items', { id: 2, name: 'new' })))
    expect(half.code).toBe(1)
    expect(half.messages.at(-1)?.trace.error.message).toContain('items')
    expect((await rowsOf('items')).map(({ name }) => name)).toEqual(['old'])
    const whole = lines(record('items', { id: 3, name: 'new' }), ended('items'))
    expect((await write(path, whole)).code).toBe(0)
    expect((await rowsOf('items')).map(({ name }) => name)).toEqual(['new'])
  }, 90_000)

  it('keeps the newest row of each key', async () => {
    const dedup = { destination_sync_mode: 'append_dedup', sync_mode: 'incremental' }
    const path = catalog('keyed', configured('keyed', { ...dedup, cursor_field: ['balance'] }))
    for (const balance of [1, 2]) {
      const input = lines(record('keyed', { id: 7, name: `v${balance}`, balance }), ended('keyed'))
      expect((await write(path, input)).code).toBe(0)
    }
    expect((await rowsOf('keyed')).map(({ name }) => name)).toEqual(['v2'])
  }, 60_000)

  it('prints a state of all streams when all of them are committed', async () => {
    const path = catalog('two', configured('one'), configured('two'))
    const all = { type: 'STATE', state: { type: 'GLOBAL', global: { stream_states: [] } } }
    const input = lines(
      ...[record('one', { id: 1 }), record('two', { id: 2 }), all],
      ...[record('two', { id: 3 }), ended('one'), ended('two')],
    )
    const { code, messages } = await write(path, input)
    expect(code).toBe(0)
    const states = messages.filter(({ type }) => type === 'STATE')
    expect(states.map((message) => message.state.destinationStats)).toEqual([{ recordCount: 2 }])
    expect((await rowsOf('two')).length).toBe(2)
  }, 60_000)

  it('prints no state when the destination fails', async () => {
    const path = catalog('fails', configured('fails'))
    const config = folder.write('null.json', {
      test_destination: { test_destination_type: 'FAILING', num_messages: 1 },
    })
    const input = lines(
      ...[record('fails', { id: 1 }), record('fails', { id: 2 }), state('fails', { page: 1 })],
      ended('fails'),
    )
    const warehouse = join(folder.path, 'null')
    const { code, messages } = await runHere(
      ['write', 'dev-null', '--config', config, '--catalog', path, '--warehouse', warehouse],
      { input },
    )
    expect(code).toBe(1)
    expect(messages.map(({ type }) => type)).toEqual(['TRACE'])
    expect(messages[0]?.trace.error).toMatchObject({
      ...{ failure_type: 'system_error', stream_descriptor: { name: 'fails' } },
    })
  }, 60_000)

  it('refuses a record of a stream that the catalog does not have', async () => {
    const path = catalog('known', configured('known'))
    const { code, messages } = await write(path, lines(record('unknown', { id: 1 })))
    expect(code).toBe(1)
    expect(messages[0]?.trace.error.message).toBe("The catalog has no stream 'unknown'.")
  }, 60_000)

  it('writes files into the warehouse directory', async () => {
    const warehouse = join(folder.path, 'warehouse')
    const path = catalog('files', configured('files'))
    const { code } = await runHere(
      ['write', 'r2', '--config', folder.write('r2.json', {}), '--catalog', path].concat([
        '--warehouse',
        warehouse,
      ]),
      { input: lines(record('files', { id: 1, name: 'Ada' }), ended('files')) },
    )
    expect(code).toBe(0)
    expect(existsSync(warehouse)).toBe(true)
    const files = readdirSync(warehouse, { recursive: true }).map(String)
    expect(files.some((file) => file.endsWith('.parquet'))).toBe(true)
  }, 60_000)

  it('commits what it has on SIGTERM', async () => {
    const path = catalog('stopped', configured('stopped'))
    const child = startConnector(['write', 'postgres', '--config', postgres, '--catalog', path])
    let seen = ''
    child.stdout?.on('data', (bytes) => {
      seen += bytes
    })
    // A state that nothing stands before comes back at once: then it is known to listen.
    child.stdin?.write(lines(state('stopped', { page: 0 })))
    while (!seen.includes('"STATE"')) await once(child.stdout ?? child, 'data')
    child.stdin?.write(lines(record('stopped', { id: 1 }), state('stopped', { page: 1 })))
    await new Promise((resolve) => setTimeout(resolve, 500))
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')
    expect(code).toBe(143)
    const states = messagesOf(seen).filter(({ type }) => type === 'STATE')
    expect(states.at(-1)?.state.stream.stream_state).toEqual({ page: 1 })
    expect((await rowsOf('stopped')).length).toBe(1)
  }, 60_000)

  it('takes what a read prints', async () => {
    const users = {
      type: 'object',
      properties: { id: { type: 'integer' }, name: { type: ['string', 'null'] } },
    }
    const path = folder.write('pipe.json', {
      streams: [
        {
          stream: { name: 'users', json_schema: users },
          ...{ sync_mode: 'full_refresh', destination_sync_mode: 'overwrite' },
        },
      ],
    })
    const source = ['read', 'sample-data', '--config', folder.write('s.json', { count: 2500 })]
    const { stdout } = await runHere([...source, '--catalog', path])
    const { code, messages } = await write(path, stdout)
    expect(code).toBe(0)
    expect(messages.filter(({ type }) => type === 'STATE').length).toBeGreaterThan(0)
    const { rows } = await client.query('SELECT count(*)::int AS n FROM cli_write.users')
    expect(rows[0].n).toBe(2500)
  }, 90_000)
})
