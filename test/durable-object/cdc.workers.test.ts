import { runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { parseLsn } from '../../src/cdc/postgres/index.ts'
import { armFaultPoint } from '../../src/core/fault-points.ts'
import { connectionStub, stagingStore } from '../../src/durable-object/platform.ts'
import { SCOPES } from '../../src/operations/caller.ts'
import { createOperationContext } from '../../src/operations/context.ts'
import { logLagOf } from '../../src/operations/log-lag.ts'
import type { JsonObject } from '../../src/protocol/index.ts'
import { closePostgres } from '../../src/runtime/postgres/client.ts'
import { type CdcDatabase, logOf, openDatabase, reader } from './cdc-support.ts'
import { connect, ended, postgresConfig, run, start, TENANT } from './harness.ts'

let db: CdcDatabase
beforeAll(async () => {
  db = await openDatabase('cdc_sync')
})
afterAll(() => db.close())

beforeEach(async () => {
  await db.reset()
  await db.sql(`
    create table src.items (id int primary key, name text, n bigint, amount numeric(12,3), large text);
    alter table src.items alter large set storage external;
    insert into src.items select n, 'name ' || n, 9007199254740993 + n, n / 7.0, repeat(md5(n::text), 200)
    from generate_series(1, 1000) n`)
})

const setup = (change = {}, more: JsonObject = {}) =>
  db.setup([{ name: 'items', ...change }], more, { chunk_rows: 300 })
const contents = (table: string) => db.contents(table, 'id, name, n, amount, large')

describe('a sync that follows the log of PostgreSQL, in workerd', () => {
  it('copies the table, then its inserts, updates, moves of the key and deletes', async () => {
    const { connection } = await connect(setup())
    const first = await run(connection)
    expect(first.streams[0]?.error).toBeUndefined()
    expect(first).toMatchObject({ status: 'succeeded', rows: 1000 })
    expect(await contents('dst.items')).toEqual(await contents('src.items'))
    await db.client.query(`
      insert into src.items values (2000, 'new', 1, 2, 'small');
      update src.items set name = 'changed' where id between 10 and 20;
      update src.items set id = 3000 where id = 5;
      delete from src.items where id in (1, 2, 15);
      update src.items set large = repeat('z', 5000) where id = 30;
      update src.items set n = 0 where id = 30`)
    const second = await run(connection)
    expect(second.streams[0]?.error).toBeUndefined()
    expect(second.status).toBe('succeeded')
    expect(await contents('dst.items')).toEqual(await contents('src.items'))
    const third = await run(connection)
    expect(third).toMatchObject({ status: 'succeeded', rows: 0 })
    await db.client.query(
      `truncate src.items; insert into src.items values (1, 'after', 1, 1, 'x')`,
    )
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 2 })
    expect(await contents('dst.items')).toEqual(await contents('src.items'))
  }, 90_000)

  it('keeps the log itself in append mode, and tells rows of the snapshot from changes', async () => {
    const { connection } = await connect(setup({ destinationSyncMode: 'append' }))
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 1000 })
    await db.client.query(`
      update src.items set name = 'changed' where id = 7; delete from src.items where id = 8`)
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 2 })
    const { rows } = await db.client.query(`
      select id, name, large, _ab_cdc_updated_at is null as snapshot,
        _ab_cdc_deleted_at is not null as deleted, _airbyte_meta->'changes'->0->>'change' as why
      from dst.items where id in (7, 8) order by _ab_cdc_lsn, id`)
    const large = expect.stringMatching(/^[0-9a-f]{6400}$/)
    expect(rows).toEqual([
      { id: '7', name: 'name 7', large, snapshot: 't', deleted: 'f', why: null },
      { id: '8', name: 'name 8', large, snapshot: 't', deleted: 'f', why: null },
      { id: '7', name: 'changed', large: null, snapshot: 'f', deleted: 'f', why: 'UNCHANGED' },
      { id: '8', name: null, large: null, snapshot: 'f', deleted: 't', why: null },
    ])
  })

  it('says in its receipt what the database keeps for the slot, and acknowledges what is staged', async () => {
    const { connection } = await connect(setup())
    const { syncId } = await run(connection)
    const receipt = await connection.receipt(syncId)
    const { id, lastSync } = await connection.get()
    expect(lastSync?.log).toEqual(receipt?.log)
    const { subject, kind, role } = { subject: 'me', kind: 'local', role: 'admin' } as const
    const ctx = createOperationContext(env, {
      ...{ tenantId: TENANT, caller: { subject, kind, role, scopes: SCOPES }, face: 'http' },
      signal: new AbortController().signal,
    })
    expect(await logLagOf(ctx, id)).toMatchObject({
      ...{ followed: true, name: receipt?.log?.name, behindSeconds: expect.any(Number) },
    })
    expect(receipt?.log).toMatchObject({ name: expect.stringMatching(/^airbyte_/), stagedBytes: 0 })
    expect(receipt?.log?.retainedBytes).toBeLessThan(64 << 20)
    const { rows } = await db.client.query(
      `select active, confirmed_flush_lsn - $1::pg_lsn >= 0 as beyond from pg_replication_slots where slot_name = $2`,
      [String(receipt?.streams[0]?.stateAfter?.since), receipt?.log?.name],
    )
    expect(rows).toEqual([{ active: 'f', beyond: 't' }])
  })

  it('fails when the slot was dropped, and begins anew only after a refresh', async () => {
    const { connection } = await connect(setup())
    await run(connection)
    await db.client.query(
      'select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = current_database()',
    )
    await db.client.query(`update src.items set name = 'unseen' where id = 3`)
    const lost = await run(connection)
    expect(lost.status).toBe('failed')
    expect(lost.streams[0]?.error).toMatchObject({ code: 'CDC_POSITION_LOST' })
    expect(lost.streams[0]?.error?.hint).toContain('efresh')
    await connection.refresh({ remove: false })
    const again = await run(connection)
    expect(again.streams[0]?.error).toBeUndefined()
    expect(await contents('dst.items')).toEqual(await contents('src.items'))
  })

  it('goes on without a column that was dropped, unless the connection is to stop or it is the key', async () => {
    const { connection } = await connect(setup({ selectedFields: ['id', 'name', 'n'] }))
    await run(connection)
    await db.sql(`alter table src.items drop column amount, drop column name;
      update src.items set n = 5 where id = 5`)
    const second = await run(connection)
    expect(second.streams[0]?.error).toBeUndefined()
    expect(second).toMatchObject({ status: 'succeeded', rows: 1 })
    expect(await db.contents('dst.items', 'id, n')).toEqual(await db.contents('src.items', 'id, n'))
    await connection.update({ schemaChanges: 'disable' })
    await db.sql('alter table src.items drop column n')
    const error = { code: 'SCHEMA_CHANGED', message: expect.stringContaining('gone: n') }
    expect((await run(connection)).streams[0]?.error).toMatchObject(error)
    await connection.update({ schemaChanges: 'propagate_columns' })
    await connection.resume()
    await db.sql('alter table src.items drop column id')
    expect((await run(connection)).streams[0]?.error).toMatchObject({
      ...{ code: 'SCHEMA_CHANGED', message: expect.stringContaining('key or cursor column id') },
    })
  })

  it('keeps the log at the server until it is loaded, where the source is set so', async () => {
    const behaviour = { lsn_commit_behaviour: 'After loading Data in the destination' }
    const { connection, id } = await connect(setup({}, behaviour))
    await run(connection)
    await db.sql(`update src.items set n = 1 where id < 100`)
    const at = (await db.sql('select pg_current_wal_lsn() as at')).rows[0]?.at
    const letGo = async () => {
      const query = `select confirmed_flush_lsn >= '${at}' as passed from pg_replication_slots
        where database = current_database()`
      return (await db.sql(query)).rows[0]?.passed === 't'
    }
    const before = (await logOf(id))?.lastSegment ?? 0
    const holder = await db.connect()
    await holder.query('begin; lock table dst.items in share mode')
    const sync = await start(connection)
    const staged = async () => expect((await logOf(id))?.lastSegment).toBeGreaterThan(before)
    await vi.waitFor(staged, { timeout: 40_000, interval: 50 })
    expect(parseLsn(String((await logOf(id))?.place.position.confirmed))).toBeGreaterThanOrEqual(
      parseLsn(String(at)),
    )
    expect(await letGo()).toBe(false)
    await closePostgres(holder)
    expect((await ended(sync)).rows).toBe(99)
    await expect.poll(letGo, { timeout: 20_000 }).toBe(true)
    expect(await contents('dst.items')).toEqual(await contents('src.items'))
  })

  it('leaves nothing in R2 that a reader stored and did not enter', async () => {
    const { connection, id } = await connect(setup())
    await run(connection)
    armFaultPoint('log.stored', 1, () => Promise.reject(new Error('the reader died')))
    await db.sql(`update src.items set n = 1 where id < 100`)
    expect((await run(connection)).rows).toBe(99)
    const left = async () => (await stagingStore(env, TENANT).list(`log/${id}/`)).objects.length
    expect(await left()).toBe(1)
    await db.sql(`update src.items set n = 2 where id < 100`)
    expect((await run(connection)).rows).toBe(99)
    expect(await left()).toBe(0)
    expect(await contents('dst.items')).toEqual(await contents('src.items'))
  })

  it('removes slot and publication with the connection', async () => {
    const { connection } = await connect(setup())
    await run(connection)
    const left = async () =>
      (
        await db.client.query(
          `select (select count(*) from pg_replication_slots where database = 'cdc_sync') as slots,
             (select count(*) from pg_publication) as publications`,
        )
      ).rows
    expect(await left()).toEqual([{ slots: '1', publications: '1' }])
    await connection.destroy()
    expect(await left()).toEqual([{ slots: '0', publications: '0' }])
  })

  describe('whose database is away when it is deleted', () => {
    const slots = async () =>
      (await db.client.query(`select from pg_replication_slots where database = 'cdc_sync'`))
        .rowCount
    /** A connection that was deleted while its source led nowhere. */
    async function deleted() {
      const { connection, id, source } = await connect(setup())
      await run(connection)
      const record = await connection.get()
      const { host, password } = postgresConfig('src') as Record<string, string>
      await source.update({ config: { host: 'nowhere.invalid' } })
      await connection.destroy()
      expect(await slots()).toBe(1)
      await source.update({ config: { host, password } as JsonObject })
      return { record, id }
    }

    it('has slot and publication removed later', async () => {
      const { id } = await deleted()
      await runDurableObjectAlarm(reader(id))
      expect(await slots()).toBe(0)
      expect(await logOf(id)).toBeUndefined()
    })

    it('leaves the log to another connection', async () => {
      const { record } = await deleted()
      const id = crypto.randomUUID()
      const other = connectionStub(env, TENANT, id)
      await other.create({ ...record, id, name: id })
      expect(await run(other)).toMatchObject({ status: 'succeeded' })
      await other.destroy()
      expect(await slots()).toBe(0)
    })
  })
})

describe('a table that is written to all the while', () => {
  it('is complete once the log is read up to the last chunk of the snapshot', async () => {
    const { connection } = await connect(setup({}, {}))
    let running = true
    const writing = (async () => {
      for (let n = 0; running; n++) {
        const id = () => 1 + Math.floor(Math.random() * 1500)
        await db.client.query(`
          update src.items set name = 'w${n}' where id = ${id()};
          update src.items set large = repeat(md5('${n}'), 150) where id = ${id()};
          delete from src.items where id = ${id()};
          insert into src.items values (${id()}, 'i${n}', ${n}, 1, repeat('x', 3000)) on conflict do nothing;
          update src.items set id = ${3000 + n} where id = ${id()};
          update src.items set name = 'moved ${n}' where id = ${3000 + n - 5}`)
      }
    })()
    const first = await run(connection)
    running = false
    await writing
    expect(first.streams[0]?.error).toBeUndefined()
    const second = await run(connection)
    expect(second.streams[0]?.error).toBeUndefined()
    expect(await contents('dst.items')).toEqual(await contents('src.items'))
  })
})
