/** Databases that refuse, fill up or hold what does not fit, while a sync runs. */
import { env } from 'cloudflare:workers'
import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { closePostgres } from '../../src/runtime/postgres/client.ts'
import { openDatabase, postgresConfig, type Role, type Workspace, workspace } from './workspace.ts'

const ROLE: Role = { username: 'e2e_limited', password: 'canary-role-password-4711' }
const STREAM = { namespace: 'e2e_src', syncMode: 'full_refresh', destinationSyncMode: 'append' }

let db: pg.Client
beforeAll(async () => {
  db = await openDatabase()
  await db.query(`
    drop schema if exists e2e_src, e2e_dst cascade;
    do $$ begin
      if exists (select from pg_roles where rolname = '${ROLE.username}') then
        execute 'drop owned by ${ROLE.username}'; execute 'drop role ${ROLE.username}';
      end if;
    end $$;
    create role ${ROLE.username} login password '${ROLE.password}'`)
})
afterAll(() => closePostgres(db))

beforeEach(() =>
  db.query(`
    alter role ${ROLE.username} reset all;
    drop schema if exists e2e_src, e2e_dst cascade; create schema e2e_src; create schema e2e_dst;
    create table e2e_src.orders (id bigint primary key, amount numeric, doc json);
    insert into e2e_src.orders select n, n / 7.0, '{"n": 1}' from generate_series(1, 3000) n;
    create table e2e_src.salaries (id bigint primary key, amount numeric);
    insert into e2e_src.salaries select n, n from generate_series(1, 10) n;
    grant usage on schema e2e_src to ${ROLE.username};
    grant select on all tables in schema e2e_src to ${ROLE.username};
    grant usage, create on schema e2e_dst to ${ROLE.username}`),
)

const from = { schemas: ['e2e_src'], chunk_rows: 1000 }
const into = { schema: 'e2e_dst' }

/** A connection `flow` between two schemas of the test database, both reached as the limited role. */
async function flow(streams: object[], change: object = {}): Promise<Workspace> {
  const ws = await workspace('database')
  const source = { name: 'from', type: 'postgres', config: postgresConfig(from, ROLE) }
  const destination = { name: 'into', type: 'postgres', config: postgresConfig(into, ROLE) }
  await ws.must('POST', '/sources', source)
  await ws.must('POST', '/destinations', destination)
  await ws.must('POST', '/connections', {
    ...{ name: 'flow', source: 'from', destination: 'into', namespace: 'e2e_dst' },
    streams: streams.map((stream) => ({ ...STREAM, ...stream })),
    ...change,
  })
  return ws
}

async function expectNoPassword(ws: Workspace, syncId: number) {
  const traces = await ws.traces(syncId)
  expect(traces).not.toContain(ROLE.password)
  return traces
}

const countOf = async (table: string) =>
  Number((await db.query(`select count(*) as n from ${table}`)).rows[0].n)

const distinctOf = async (table: string) =>
  Number((await db.query(`select count(distinct id) as n from ${table}`)).rows[0].n)

describe('a table without permission', () => {
  it('fails alone, says which right is missing, and the others go on', async () => {
    // The role sees the view and may read it; what it stands on was taken away.
    await db.query(`
      create view e2e_src.payroll with (security_invoker) as select * from e2e_src.salaries;
      grant select on e2e_src.payroll to ${ROLE.username}`)
    const ws = await flow([{ name: 'orders' }, { name: 'payroll' }])
    await db.query(`revoke select on e2e_src.salaries from ${ROLE.username}`)
    const sync = await ws.sync('flow')
    expect(sync.status).toBe('incomplete')
    const [orders, payroll] = sync.streams
    expect(orders).toMatchObject({ stream: 'e2e_src.orders', status: 'succeeded' })
    expect(payroll).toMatchObject({
      ...{ stream: 'e2e_src.payroll', status: 'failed' },
      error: { code: 'PERMISSION_DENIED', stream: 'e2e_src.payroll' },
    })
    expect(payroll.error.message).toContain('salaries')
    expect(payroll.error.hint).toMatch(/GRANT SELECT ON .* TO "e2e_limited"/)
    expect(await countOf('e2e_dst.orders')).toBe(3000)
    await expectNoPassword(ws, sync.syncId)

    await db.query(`grant select on e2e_src.salaries to ${ROLE.username}`)
    expect(await ws.sync('flow')).toMatchObject({ status: 'succeeded' })
    expect(await countOf('e2e_dst.payroll')).toBe(10)
  })

  // Discovery does not show what may not be read, and planning calls it STREAM_NOT_FOUND.
  it('is not taken for a table that is gone', async () => {
    const ws = await flow([{ name: 'orders' }, { name: 'salaries' }])
    await db.query(`revoke select on e2e_src.salaries from ${ROLE.username}`)
    const sync = await ws.sync('flow')
    expect(sync.status).toBe('incomplete')
    expect(sync.streams[0]).toMatchObject({ stream: 'e2e_src.orders', status: 'succeeded' })
    expect(sync.streams[1].error).toMatchObject({
      ...{ code: 'PERMISSION_DENIED', stream: 'e2e_src.salaries' },
    })
    expect(sync.streams[1].error.hint).toMatch(/GRANT SELECT ON .*salaries.* TO "e2e_limited"/)
    await expectNoPassword(ws, sync.syncId)
  })

  it('is named when the destination may not write at all', async () => {
    const ws = await flow([{ name: 'orders' }])
    await db.query(`revoke create on schema e2e_dst from ${ROLE.username}`)
    const check = await ws.api('POST', '/destinations/into/check', {})
    expect(check.body).toMatchObject({
      ...{ ok: false, problem: { code: 'PERMISSION_DENIED', field: 'config.schema' } },
    })
    expect(check.body.problem.hint).toMatch(/GRANT .*CREATE ON SCHEMA "e2e_dst"/)
    const sync = await ws.sync('flow')
    expect(sync).toMatchObject({ status: 'failed', error: { code: 'PERMISSION_DENIED' } })
    await expectNoPassword(ws, sync.syncId)
  })
})

describe.each(['direct', 'staged'])(
  'a destination that stops taking rows in the middle, %s',
  (transfer) => {
    /** Rows arrive in chunks of a thousand; this is done to the one that holds row 2500. */
    const atRow2500 = (action: string) =>
      db.query(`
      create function e2e_dst.refuse() returns trigger language plpgsql as $$
      begin if new.id = 2500 then ${action} end if; return new; end $$;
      create trigger refuse before insert on e2e_dst.orders
        for each row execute function e2e_dst.refuse()`)

    async function loadedOnce() {
      const ws = await flow([{ name: 'orders' }], { transfer })
      await ws.sync('flow')
      await db.query('truncate e2e_dst.orders')
      return ws
    }

    it('because it is full: says so, and resumes when there is room', async () => {
      const ws = await loadedOnce()
      await atRow2500(`raise exception 'could not extend file: No space left on device'
      using errcode = '53100', hint = 'Check free disk space.';`)
      const failed = await ws.sync('flow')
      expect(failed.error).toMatchObject({ code: 'DESTINATION_FULL', stream: 'e2e_src.orders' })
      expect(failed.error.hint).toMatch(/space/)
      expect(['failed', 'incomplete']).toContain(failed.status)
      await expectNoPassword(ws, failed.syncId)
      await db.query('drop trigger refuse on e2e_dst.orders')
      expect(await ws.sync('flow')).toMatchObject({ status: 'succeeded' })
      expect(await countOf('e2e_dst.orders')).toBe(3000)
      expect(await distinctOf('e2e_dst.orders')).toBe(3000)
    })

    it('because it became read-only: says so, and resumes when it is writable', async () => {
      const ws = await loadedOnce()
      // The transaction itself turns read-only, as on a primary that is demoted: the next write fails.
      await atRow2500(`perform set_config('transaction_read_only', 'on', true);`)
      const failed = await ws.sync('flow')
      expect(failed.error).toMatchObject({
        code: 'DESTINATION_READ_ONLY',
        stream: 'e2e_src.orders',
      })
      expect(failed.error.hint).toMatch(/primary|read-only/)
      await expectNoPassword(ws, failed.syncId)
      await db.query('drop trigger refuse on e2e_dst.orders')
      expect(await ws.sync('flow')).toMatchObject({ status: 'succeeded' })
      expect(await distinctOf('e2e_dst.orders')).toBe(3000)
      expect(await countOf('e2e_dst.orders')).toBe(3000)
    })

    it('because it failed over to a replica: the lost connection is tried again, then it says so', async () => {
      const ws = await loadedOnce()
      await db.query('select pg_advisory_lock(4711)')
      await atRow2500('perform pg_advisory_xact_lock(4711);')
      const { syncId } = await ws.must('POST', '/connections/flow/sync', {})
      const waiting = `select pid from pg_locks where locktype = 'advisory' and not granted`
      await vi.waitFor(async () => expect((await db.query(waiting)).rowCount).toBe(1), {
        timeout: 10_000,
      })
      await db.query(`alter role ${ROLE.username} set default_transaction_read_only = on`)
      await db.query(`select pg_terminate_backend(pid) from (${waiting}) w`)
      await db.query('select pg_advisory_unlock(4711)')
      const failed = await ws.ended(syncId)
      expect(failed.error).toMatchObject({ code: 'DESTINATION_READ_ONLY' })
      const check = await ws.must('POST', '/destinations/into/check', {})
      expect(check).toMatchObject({ ok: false, problem: { code: 'DESTINATION_READ_ONLY' } })
      await expectNoPassword(ws, syncId)
      await db.query(`alter role ${ROLE.username} reset default_transaction_read_only`)
      expect(await ws.sync('flow')).toMatchObject({ status: 'succeeded' })
      expect(await countOf('e2e_dst.orders')).toBe(3000)
      expect(await distinctOf('e2e_dst.orders')).toBe(3000)
    })
  },
)

describe('a value that does not fit its column', () => {
  it('becomes null with an entry in _airbyte_meta.changes, and the receipt counts it', async () => {
    await db.query(`
      create table e2e_src.visits (id int primary key, at timestamptz);
      grant select on e2e_src.visits to ${ROLE.username};
      insert into e2e_src.visits values (1, '2026-01-01Z'), (2, '12000-01-01Z'), (3, '0044-03-15Z BC')`)
    const ws = await workspace('does-not-fit')
    const source = { name: 'from', type: 'postgres', config: postgresConfig(from, ROLE) }
    await ws.must('POST', '/sources', source)
    await ws.must('POST', '/destinations', {
      ...{ name: 'into', type: 'r2', config: { format: { format_type: 'JSONL' } } },
    })
    const streams = [{ ...STREAM, name: 'visits' }]
    await ws.must('POST', '/connections', {
      ...{ name: 'flow', source: 'from', destination: 'into', streams },
    })
    const sync = await ws.sync('flow')
    expect(sync, JSON.stringify(sync)).toMatchObject({ status: 'succeeded' })
    const rows = (await warehouseLines(ws.id)).sort((a, b) => Number(a.id) - Number(b.id))
    expect(rows.map(({ at }) => at)).toEqual(['2026-01-01T00:00:00Z', null, null])
    expect(rows[0]?._airbyte_meta).toMatchObject({ changes: [] })
    for (const { _airbyte_meta } of rows.slice(1)) {
      expect(_airbyte_meta).toMatchObject({ changes: [{ field: 'at', change: 'NULLED' }] })
    }
    const receipt = await ws.must('GET', `/syncs/${sync.syncId}/receipt`)
    expect(receipt.streams[0]).toMatchObject({ rowsLoaded: 3, rowsRejected: 0, nulled: 2 })
    expect(receipt.warnings).toMatchObject([{ code: 'VALUES_NULLED', stream: 'e2e_src.visits' }])
    await expectNoPassword(ws, sync.syncId)
  })

  const merged = {
    ...{ destinationSyncMode: 'append_dedup', syncMode: 'incremental' },
    cursorField: 'id',
  }
  it.each([
    ['appended', 'direct', {}],
    ['appended', 'staged', {}],
    ['merged', 'direct', merged],
    ['merged', 'staged', merged],
  ])('rejects a row that the constraints of the owner refuse, %s %s', async (_, transfer, mode) => {
    const ws = await flow([{ name: 'orders', ...mode }], { transfer })
    await ws.sync('flow')
    await db.query(`
      truncate e2e_dst.orders;
      alter table e2e_dst.orders add check (amount is not null), add check (amount <> 3);
      insert into e2e_src.orders values (5001, null, null), (5002, 2, null), (5003, 3, null)`)
    const sync = await ws.sync('flow')
    expect(sync, JSON.stringify(sync)).toMatchObject({ status: 'succeeded' })
    expect(await countOf(`e2e_dst.orders where id > 5000`)).toBe(1)
    const { items } = await ws.must('GET', `/syncs/${sync.syncId}/rejects`)
    const late = items.map(({ row }: { row: string }) => JSON.parse(row)).slice(-2)
    expect(late.map(({ id }: { id: number }) => Number(id)).sort()).toEqual([5001, 5003])
  })

  it('is loaded after a column that became too narrow is widened', async () => {
    const ws = await flow([{ name: 'orders' }])
    await ws.sync('flow')
    await db.query('truncate e2e_dst.orders; alter table e2e_dst.orders alter id type integer')
    expect(await ws.sync('flow')).toMatchObject({ status: 'succeeded' })
    const { rows } = await db.query('select pg_typeof(id) as type from e2e_dst.orders limit 1')
    expect(rows).toEqual([{ type: 'bigint' }])
  })

  it('is named with its table when a whole column became another', async () => {
    const ws = await flow([{ name: 'orders' }])
    await ws.sync('flow')
    await db.query(
      'truncate e2e_dst.orders; alter table e2e_dst.orders alter id type date using null',
    )
    const sync = await ws.sync('flow')
    expect(sync.error).toMatchObject({ code: 'SCHEMA_CHANGED', field: 'id' })
    expect(sync.error.hint).toContain('ALTER COLUMN "id" TYPE bigint')
  })

  it('rejects the row if it is its key, and the row can be read', async () => {
    await db.query(`
      create table e2e_src.pages (path text, title text);
      grant select on e2e_src.pages to ${ROLE.username};
      insert into e2e_src.pages select '/page/' || n, 'Page ' || n from generate_series(1, 50) n;
      insert into e2e_src.pages values
        (null, 'no key'),
        ((select string_agg(md5(n::text), '') from generate_series(1, 1000) n), 'too long a key')`)
    const keyed = { destinationSyncMode: 'overwrite_dedup', primaryKey: 'path' }
    const ws = await flow([{ name: 'pages', ...keyed }])
    const sync = await ws.sync('flow')
    expect(sync, JSON.stringify(sync)).toMatchObject({ status: 'succeeded' })
    expect(sync.streams[0]).toMatchObject({ rowsRead: 52, rowsLoaded: 50, rejected: 2 })
    expect(await countOf('e2e_dst.pages')).toBe(50)
    const receipt = await ws.must('GET', `/syncs/${sync.syncId}/receipt`)
    expect(receipt.warnings).toMatchObject([{ code: 'REJECTS', stream: 'e2e_src.pages' }])
    const { items } = await ws.must('GET', `/syncs/${sync.syncId}/rejects`)
    const titles = items.map(({ row }: { row: string }) => JSON.parse(row).title)
    expect(titles.sort()).toEqual(['no key', 'too long a key'])
    for (const { stream, reason } of items) {
      expect(stream).toBe('e2e_src.pages')
      expect(reason).toBeTruthy()
    }
    await expectNoPassword(ws, sync.syncId)
  })
})

/** Every row of the JSON lines in a workspace's warehouse. */
async function warehouseLines(tenantId: string): Promise<Record<string, unknown>[]> {
  const { objects } = await env.WAREHOUSE.list({ prefix: `${tenantId}/` })
  const files = objects.filter(({ key }) => key.endsWith('.jsonl.gz'))
  const texts = await Promise.all(
    files.map(async ({ key }) => {
      const object = await env.WAREHOUSE.get(key)
      if (!object) return ''
      return new Response(object.body.pipeThrough(new DecompressionStream('gzip'))).text()
    }),
  )
  const lines = texts.flatMap((text) => text.split('\n')).filter(Boolean)
  return lines.map((line) => JSON.parse(line))
}
