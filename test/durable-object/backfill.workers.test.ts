import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { syncStub, tenantStub } from '../../src/durable-object/platform.ts'
import type { Backfill, SyncSummary } from '../../src/durable-object/rpc.ts'
import type { JsonObject } from '../../src/protocol/index.ts'
import { closePostgres, connectPostgres } from '../../src/runtime/postgres/client.ts'
import type { PostgresConfig } from '../../src/runtime/postgres/config.ts'
import { workerdContext } from '../support/workerd-context.ts'
import { connect, ended, postgresConfig, run, stream, TENANT } from './harness.ts'

let client: pg.Client
beforeAll(async () => {
  client = await connectPostgres(
    workerdContext(),
    postgresConfig('public') as unknown as PostgresConfig,
  )
})
afterAll(() => closePostgres(client))

beforeEach(async () => {
  await client.query(`
    drop schema if exists fill_src cascade; drop schema if exists fill_dst cascade;
    create schema fill_src;
    create table fill_src.orders (
      id bigint primary key, name text, updated_at timestamptz not null, doc jsonb);
    insert into fill_src.orders
      select n, 'name ' || n, '2026-01-01Z'::timestamptz + n * interval '1 minute', '{}'
      from generate_series(1, 2000) n`)
})

type Connection = Awaited<ReturnType<typeof connect>>['connection']

const ORDERS = { name: 'orders', namespace: 'fill_src' }
const incremental = (change = {}) =>
  stream({
    ...ORDERS,
    ...{
      syncMode: 'incremental',
      destinationSyncMode: 'append_dedup',
      cursorField: ['updated_at'],
    },
    primaryKey: [['id']],
    ...change,
  })

const orders = (change = {}, more: JsonObject = {}, transfer: 'direct' | 'staged' = 'direct') => {
  const { schema: _schema, ...config } = postgresConfig('fill_src')
  return connect({
    source: { type: 'postgres', config: { ...config, schemas: ['fill_src'], ...more } },
    destination: { type: 'postgres', config: postgresConfig('fill_dst') },
    streams: [incremental(change)],
    change: { namespace: 'fill_dst', transfer, limits: { chunkBytes: 0 } },
  })
}

async function start(connection: Connection, range: Omit<Backfill, 'stream'>, of = ORDERS) {
  const options = { trigger: 'manual' as const, backfill: { stream: of, ...range } }
  const started: SyncSummary = await connection.startSync(options)
  return syncStub(env, TENANT, started.syncId)
}

async function backfill(connection: Connection, range: Omit<Backfill, 'stream'>) {
  const record = await ended(await start(connection, range))
  await expect.poll(async () => (await connection.get()).lastSync?.syncId).toBe(record.syncId)
  return { ...record, receipt: await connection.receipt(record.syncId) }
}

const same = async () => {
  const { rows } = await client.query(
    `select count(*) as n from (
       (select id, name, updated_at from fill_src.orders except all select id, name, updated_at from fill_dst.orders)
       union all
       (select id, name, updated_at from fill_dst.orders except all select id, name, updated_at from fill_src.orders)) d`,
  )
  return rows[0]?.n === '0'
}
const count = async (where = 'true') => {
  const { rows } = await client.query(`select count(*) as n from fill_dst.orders where ${where}`)
  return Number(rows[0]?.n)
}

describe('a backfill, postgres to postgres', () => {
  it.each(['direct', 'staged'] as const)(
    'brings the rows of a key range back and nothing else, %s',
    async (transfer) => {
      const { connection } = await orders({}, { chunk_rows: 130, checkpoint_rows: 70 }, transfer)
      expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 2000 })
      const before = await connection.state()
      await client.query('delete from fill_dst.orders where id between 500 and 1500')

      const record = await backfill(connection, { field: 'id', from: '600', to: '900' })
      expect(record.streams[0]?.error).toBeUndefined()
      expect(record).toMatchObject({ status: 'succeeded', rows: 300 })
      expect(record.receipt?.streams[0]).toMatchObject({
        range: { field: 'id', from: '600', to: '900' },
        mode: { sync: 'full_refresh', destination: 'append_dedup' },
      })
      expect(await count('id between 500 and 1500')).toBe(300)
      expect(await count('id >= 600 and id < 900')).toBe(300)
      expect(await connection.state()).toEqual(before)
      expect(await connection.verify({ level: 'count' })).toMatchObject({ ok: true })

      await client.query(`
        update fill_src.orders set name = 'new', updated_at = now() where id in (1, 2);
        insert into fill_src.orders values (9000, 'added', now(), null)`)
      expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 3 })
      await backfill(connection, { field: 'id', to: '1501' })
      expect(await same()).toBe(true)
      expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 0 })
    },
  )

  it('takes a range of time, open at either end', async () => {
    const { connection } = await orders()
    await run(connection)
    await client.query('delete from fill_dst.orders')
    const hours = { field: 'updated_at', from: '2026-01-01T10:00:00Z', to: '2026-01-01 12:00+01' }
    expect(await backfill(connection, hours)).toMatchObject({ rows: 60 })
    expect(
      await count(`updated_at >= '2026-01-01 10:00Z' and updated_at < '2026-01-01 11:00Z'`),
    ).toBe(60)
    await backfill(connection, { field: 'updated_at', to: '2026-01-01T10:00:00Z' })
    await backfill(connection, { field: 'updated_at', from: '2026-01-01T11:00:00Z' })
    expect(await same()).toBe(true)
  })

  it('reads before the first sync, which then still reads everything', async () => {
    const { connection } = await orders()
    expect(await backfill(connection, { field: 'id', from: '1990' })).toMatchObject({ rows: 11 })
    expect(await connection.state()).toEqual([])
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 2000 })
    expect(await same()).toBe(true)
  })

  it('says that appended rows may stand there twice', async () => {
    const { connection } = await orders({ destinationSyncMode: 'append' })
    await run(connection)
    const record = await backfill(connection, { field: 'id', from: '1', to: '11' })
    expect(record.receipt?.warnings).toMatchObject([{ code: 'BACKFILL_APPENDED' }])
    expect(record.warnings).toBe(1)
    expect(await count()).toBe(2010)
    expect(await connection.verify({ level: 'hash' })).toMatchObject({ ok: true })
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 0 })
  })

  it('does not touch older rows that a refresh is to remove later', async () => {
    const { connection } = await orders()
    await run(connection)
    await client.query('delete from fill_src.orders where id > 1000')
    await connection.refresh({ remove: true })
    await backfill(connection, { field: 'id', to: '11' })
    expect(await count()).toBe(2000)
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 1000 })
    expect(await same()).toBe(true)
  })

  it('takes a value as a value, whatever it looks like', async () => {
    await client.query(
      `insert into fill_src.orders values (3000, E'x\\\\'' or true --', now(), null)`,
    )
    const { connection } = await orders()
    await run(connection)
    await client.query('delete from fill_dst.orders')
    const text = `x\\' or true --`
    const record = await backfill(connection, { field: 'name', from: text, to: `${text}!` })
    expect(record).toMatchObject({ status: 'succeeded', rows: 1 })
    for (const value of [`1; drop table fill_src.orders; --`, `1) or (1=1`, `'`, '\u0000', '']) {
      const refused = await backfill(connection, { field: 'id', from: value })
      expect(refused, value).toMatchObject({
        ...{ status: 'failed', rows: 0 },
        error: { code: 'VALIDATION_FAILED', field: 'backfill.from' },
      })
    }
    const field = `id" >= 1 or true --`
    expect(await backfill(connection, { field, from: '1' })).toMatchObject({
      error: { code: 'VALIDATION_FAILED', field: 'backfill.field' },
    })
    expect(await count()).toBe(1)
    expect(await connection.get()).toMatchObject({ status: 'active' })
  })

  it('names the columns when the field is none, or of no use', async () => {
    const { connection } = await orders()
    expect(await backfill(connection, { field: 'updated', from: '1' })).toMatchObject({
      error: { code: 'VALIDATION_FAILED', field: 'backfill.field', didYouMean: ['updated_at'] },
    })
    expect(await backfill(connection, { field: 'doc', from: '1' })).toMatchObject({
      error: { code: 'VALIDATION_FAILED', field: 'backfill.field' },
    })
  })

  it('is refused where every sync overwrites, without an end, and for another stream', async () => {
    const { connection } = await connect({ streams: [stream()] })
    const users = { name: 'users' }
    await expect(start(connection, { field: 'id', from: '1' }, users as never)).rejects.toThrow(
      'MODE_UNSUPPORTED',
    )
    const { connection: appending } = await orders()
    await expect(start(appending, { field: 'id' })).rejects.toThrow('VALIDATION_FAILED')
    await expect(
      start(appending, { field: 'id', from: '1' }, { ...ORDERS, name: 'no' }),
    ).rejects.toThrow('STREAM_NOT_FOUND')
  })
})

describe('a backfill into the warehouse', () => {
  const users = { name: 'users' } as never
  const warehouse = (destinationSyncMode: 'append' | 'append_dedup') =>
    connect({
      source: { type: 'sample-data', config: { count: 100, records_per_slice: 10 } },
      destination: { type: 'r2', config: {} },
      streams: [
        stream({
          ...{ syncMode: 'incremental', destinationSyncMode, cursorField: ['updated_at'] },
          primaryKey: [['id']],
        }),
      ],
      change: { limits: { chunkBytes: 0 } },
    })

  it.each(['append', 'append_dedup'] as const)('adds its rows as %s, verified', async (mode) => {
    const { connection, source } = await warehouse(mode)
    await run(connection)
    const filled = await ended(
      await start(connection, { field: 'id', from: '41', to: '61' }, users),
    )
    expect(filled).toMatchObject({ status: 'succeeded', rows: 20 })
    await expect.poll(async () => (await connection.get()).lastSync?.syncId).toBe(filled.syncId)
    expect(await connection.verify({ level: 'hash' })).toMatchObject({ ok: true })
    await source.update({ config: { count: 105 } })
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 5 })
    const { streams, ok } = await connection.verify({ level: 'hash' })
    expect(ok).toBe(true)
    if (mode === 'append_dedup') expect(streams).toMatchObject([{ foundRows: 105 }])
  })
})

describe('a backfill that does not end well', () => {
  const users = { name: 'users' } as never
  const sample = (config: JsonObject) =>
    connect({
      source: { type: 'sample-data', config: { count: 1000, records_per_slice: 100, ...config } },
      streams: [stream({ syncMode: 'incremental', destinationSyncMode: 'append_dedup' })],
      change: { limits: { chunkBytes: 0 } },
    })

  it('leaves the position when its source fails in the middle, and can be run again', async () => {
    const { connection, source } = await sample({})
    await run(connection)
    const before = await connection.state()
    await source.update({ config: { fail_at: { record: 500, kind: 'config' } } })
    const failed = await ended(await start(connection, { field: 'id', from: '301' }, users))
    expect(failed).toMatchObject({ status: 'incomplete', rows: 200 })
    await expect.poll(async () => (await connection.get()).lastSync?.syncId).toBe(failed.syncId)
    expect(await connection.state()).toEqual(before)

    await source.update({ config: { fail_at: { record: 5000, kind: 'config' } } })
    const again = await ended(await start(connection, { field: 'id', from: '301' }, users))
    expect(again).toMatchObject({ status: 'succeeded', rows: 700 })
    await expect.poll(async () => (await connection.get()).lastSync?.syncId).toBe(again.syncId)
    expect(await connection.state()).toEqual(before)
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 0 })
  })

  it('shows the position of before while it runs, and goes on when a worker died', async () => {
    const { connection, source } = await sample({})
    await run(connection)
    const before = await connection.state()
    await source.update({ config: { stall_at: { record: 500, ms: 60_000, times: 1 } } })
    const sync = await start(connection, { field: 'id', from: '301' }, users)
    await expect.poll(async () => (await sync.get()).rows, { timeout: 5000 }).toBe(200)
    expect(await connection.state()).toEqual(before)
    const object = env.SYNC.getByName(`${TENANT}:${(await sync.get()).syncId}`)
    await runInDurableObject(object as never, (_object, state) => {
      state.storage.sql.exec(
        `update tasks set fence = fence + 1, lease_until = 0 where kind = 'read'`,
      )
    })
    expect(await ended(sync)).toMatchObject({ status: 'succeeded', rows: 700 })
    expect(await connection.state()).toEqual(before)
  })

  it('is handed over again after its connection died while handing it over', async () => {
    const { id, connection } = await sample({})
    await run(connection)
    const before = await connection.state()
    const sync = await start(connection, { field: 'id', from: '991' }, users)
    const { syncId } = await ended(sync)
    await expect.poll(async () => (await connection.get()).lastSync?.syncId).toBe(syncId)
    // As if the next one had been taken on and then lost before its object had it.
    const backfill = { key: 'users', range: { field: 'id', from: '996' } }
    const slot = await tenantStub(env, TENANT).beginSync(id)
    const object = env.CONNECTION.getByName(`${TENANT}:${id}`)
    await runInDurableObject(object, async (_object, state) => {
      const current = { ...slot, accepted: false, trigger: 'manual', acceptEmpty: false }
      state.storage.sql.exec('update streams set generation = generation + 1')
      state.storage.kv.put('current', { ...current, streams: ['users'], backfill })
      await state.storage.setAlarm(Date.now() + 60_000)
    })
    await runDurableObjectAlarm(object)
    const again = await ended(syncStub(env, TENANT, slot?.syncId ?? 0))
    expect(again).toMatchObject({ status: 'succeeded', rows: 5 })
    await expect.poll(async () => (await connection.get()).lastSync?.syncId).toBe(slot?.syncId)
    expect(await connection.state()).toEqual(before)
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 0 })
  })

  it('is cancelled like any other sync', async () => {
    const { connection, source } = await sample({})
    await run(connection)
    const before = await connection.state()
    await source.update({ config: { stall_at: { record: 500, ms: 60_000 } } })
    const sync = await start(connection, { field: 'id', from: '301' }, users)
    await expect.poll(async () => (await sync.get()).rows, { timeout: 5000 }).toBe(200)
    await sync.cancel()
    expect(await ended(sync)).toMatchObject({ status: 'cancelled' })
    expect(await connection.state()).toEqual(before)
  })
})
