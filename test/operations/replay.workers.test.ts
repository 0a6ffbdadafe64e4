import { env } from 'cloudflare:workers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { armFaultPoint, type FaultPoint } from '../../src/core/fault-points.ts'
import { configOf, createDatabase, dropDatabase, inDatabase } from './databases.ts'
import { callerOf } from './support.ts'

const DATABASE = 'replay_test'
const sql = (text: string) => inDatabase(DATABASE, text)

beforeAll(() => createDatabase(DATABASE))
afterAll(() => dropDatabase(DATABASE))

let pipelines = 0
const APPEND = { syncMode: 'incremental', cursorField: 'id', destinationSyncMode: 'append' }

/** 20 rows, half of which the destination refuses by a constraint of its owner. */
async function pipeline(stream: object) {
  const schema = `r${++pipelines}`
  await sql(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.orders (
      id int PRIMARY KEY, qty int, price numeric(30, 12), seen timestamptz, bits bytea, doc jsonb);
    INSERT INTO ${schema}.orders SELECT n, 0, 123456789012345678.000000000001,
      '2026-01-02 03:04:05.678901+00', '\\x00ff', '{"big": 9007199254740993}'
      FROM generate_series(1, 20) n`)
  const call = callerOf(env, `replay-${pipelines}`)
  const source = { ...configOf(DATABASE), schemas: [schema] }
  await call('sources.create', { name: 'shop', type: 'postgres', config: source })
  const destination = { ...configOf(DATABASE), schema: `${schema}_copy` }
  await call('destinations.create', { name: 'copy', type: 'postgres', config: destination })
  await call('connections.create', {
    ...{ name: 'link', source: 'shop', destination: 'copy', namespace: `${schema}_copy` },
    streams: [{ name: 'orders', ...stream }],
  })
  const run = async (id: string, input: object) => {
    const { syncId } = await call(id, input)
    return call('syncs.get', { sync: syncId, waitSeconds: 40, receipt: true })
  }
  const table = `${schema}_copy.orders`
  const sync = () => run('connections.sync', { connection: 'link' })
  // The table is there and empty of them before its owner says what it may hold.
  await sync()
  await sql(`ALTER TABLE ${table} ADD CONSTRAINT small CHECK (qty < 10);
    DELETE FROM ${table}; UPDATE ${schema}.orders SET id = id + 100, qty = id - 1`)
  const first = await sync()
  return {
    ...{ call, table, sync, schema, first },
    replay: (input: object = {}) => run('syncs.replay', { sync: first.syncId, ...input }),
    rejectsOf: async (syncId: unknown) =>
      (await call('syncs.rejects', { sync: syncId })).items as unknown as unknown[],
    contents: async () =>
      (await sql(`SELECT id, qty, price, seen, bits, doc FROM ${table} ORDER BY id`)).rows,
    source: async () =>
      (await sql(`SELECT id, qty, price, seen, bits, doc FROM ${schema}.orders ORDER BY id`)).rows,
  }
}

const drop = (table: string) => sql(`ALTER TABLE ${table} DROP CONSTRAINT small`)

describe.each([
  ['append', APPEND],
  ['append_dedup', { ...APPEND, destinationSyncMode: 'append_dedup', primaryKey: [['id']] }],
])('rows that a destination refused, loaded again under %s', (_mode, stream) => {
  it('are there once, as in the source, and no longer among the rejects', async () => {
    const { table, first, replay, rejectsOf, ...opened } = await pipeline(stream)
    const { call, contents, source, sync } = opened
    expect(first).toMatchObject({ status: 'succeeded', rows: 10 })
    expect(await rejectsOf(first.syncId)).toHaveLength(10)
    await drop(table)
    const replayed = await replay()
    expect(replayed).toMatchObject({ status: 'succeeded', rows: 10, warnings: 0 })
    expect(replayed.receipt).toMatchObject({
      streams: [{ rowsLoaded: 10, rowsRejected: 0, replay: { syncId: first.syncId } }],
    })
    expect(await contents()).toEqual(await source())
    expect(await rejectsOf(first.syncId)).toEqual([])
    const { syncId } = await sync()
    expect(await contents()).toEqual(await source())
    await expect(call('syncs.replay', { sync: syncId })).rejects.toMatchObject({
      ...{ code: 'NOT_FOUND', field: 'sync' },
    })
  })
})

describe('a replay', () => {
  it.each<FaultPoint>(['load.committed', 'replay.loaded'])(
    'that dies at %s loads each row once',
    async (point) => {
      const { table, replay, contents, source, first, rejectsOf } = await pipeline(APPEND)
      await drop(table)
      armFaultPoint(point, 1, () => Promise.reject(new Error('the slice died')))
      expect(await replay()).toMatchObject({ status: 'succeeded', rows: 10 })
      expect(await contents()).toEqual(await source())
      expect(await rejectsOf(first.syncId)).toEqual([])
    },
  )

  it('that ended before it removed the rejects is known to a later one, after other syncs', async () => {
    const { table, replay, contents, source, sync, schema } = await pipeline(APPEND)
    const before = await rejectObjects(schema)
    await drop(table)
    await replay()
    await sql(`INSERT INTO ${schema}.orders (id) VALUES (999)`)
    await sync()
    for (const [key, text] of before) await env.STAGING.put(key, text)
    expect(await replay()).toMatchObject({ status: 'succeeded' })
    expect(await contents()).toEqual(await source())
  })

  it('keeps what is rejected again for another, until the stream is read anew', async () => {
    const { table, replay, rejectsOf, first, ...opened } = await pipeline(APPEND)
    const { call, contents, source, sync } = opened
    await drop(table)
    await sql(`ALTER TABLE ${table} ADD CONSTRAINT small CHECK (qty < 15)`)
    const again = await replay()
    expect(again).toMatchObject({ status: 'succeeded', rows: 5, warnings: 1 })
    expect(again.receipt).toMatchObject({ streams: [{ rowsLoaded: 5, rowsRejected: 5 }] })
    expect(await rejectsOf(first.syncId)).toEqual([])
    expect(await rejectsOf(again.syncId)).toHaveLength(5)
    await drop(table)
    const { syncId } = await call('syncs.replay', { sync: again.syncId })
    expect(await call('syncs.get', { sync: syncId, waitSeconds: 40 })).toMatchObject({ rows: 5 })
    expect(await contents()).toEqual(await source())

    await call('connections.refresh', { connection: 'link', confirm: 'link' })
    await sync()
    await expect(replay()).rejects.toMatchObject({
      ...{ code: 'CONFLICT', stream: expect.stringContaining('orders') },
      message: expect.stringContaining('was read anew since'),
      hint: expect.stringContaining('load the rejects of those'),
    })
  })
})

/** The objects of rejected rows of a workspace. */
async function rejectObjects(schema: string): Promise<[string, string][]> {
  const prefix = `replay-${schema.slice(1)}/rejects/`
  const { objects } = await env.STAGING.list({ prefix })
  return Promise.all(
    objects.map(async ({ key }): Promise<[string, string]> => {
      const object = await env.STAGING.get(key)
      return [key, (await object?.text()) ?? '']
    }),
  )
}
