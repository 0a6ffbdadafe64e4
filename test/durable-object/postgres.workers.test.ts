import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { StreamConfig } from '../../src/durable-object/rpc.ts'
import type { JsonObject } from '../../src/protocol/index.ts'
import { closePostgres, connectPostgres } from '../../src/runtime/postgres/client.ts'
import type { PostgresConfig } from '../../src/runtime/postgres/config.ts'
import { workerdContext } from '../support/workerd-context.ts'
import { connect, postgresConfig, run, stream } from './harness.ts'

let client: pg.Client
beforeAll(async () => {
  client = await connectPostgres(
    workerdContext(),
    postgresConfig('public') as unknown as PostgresConfig,
  )
})
afterAll(() => closePostgres(client))

/** An independent check: rows and an order-free hash, by SQL. */
async function contents(table: string) {
  const columns = 'id, name, big, amount, at, doc, tags'
  const { rows } = await client.query(
    `select count(*) as n, sum(hashtextextended((${columns})::text, 0)::numeric) as hash
     from (select ${columns} from ${table}) r`,
  )
  return rows[0]
}

beforeEach(async () => {
  await client.query(`
    drop schema if exists src cascade; drop schema if exists dst cascade; create schema src;
    create table src.orders (
      id bigint primary key, name text, big bigint, amount numeric(38,10), at timestamptz,
      doc jsonb, tags text[], updated_at timestamptz not null default now());
    insert into src.orders
      select n, 'name ' || n || E'\\t\\n\\\\ "ü"', 9007199254740993 + n, n * 1.0000000001,
        '2026-01-01'::timestamptz + n * interval '1.000001 s', jsonb_build_object('n', n, 'a', '[1,2]'::jsonb),
        array['a', null, 'b,' || n], '2026-01-01'::timestamptz + n * interval '1 s'
      from generate_series(1, 5000) n`)
})

const source = (more: JsonObject = {}) => {
  const { schema: _schema, ...config } = postgresConfig('src')
  return { type: 'postgres', config: { ...config, schemas: ['src'], ...more } }
}
const destination = { type: 'postgres', config: postgresConfig('dst') }
const orders = (change = {}) => stream({ name: 'orders', namespace: 'src', ...change })

describe('postgres to postgres, in workerd', () => {
  it.each(['direct', 'staged'] as const)('copies a table exactly, %s', async (transfer) => {
    const { connection } = await connect({
      source: source({ chunk_rows: 700 }),
      destination,
      streams: [orders()],
      change: { transfer, namespace: 'dst', limits: { chunkBytes: 0 } },
    })
    const record = await run(connection)
    expect(record.streams[0]?.error).toBeUndefined()
    expect(record).toMatchObject({ status: 'succeeded', rows: 5000 })
    expect(await contents('dst.orders')).toEqual(await contents('src.orders'))
    expect(await connection.verify({ level: 'hash' })).toMatchObject({ ok: true })
    await client.query(`update dst.orders set name = 'changed' where id = 77`)
    expect(await connection.verify({ level: 'hash' })).toMatchObject({ ok: false })
  })

  it('verifies what the last sync left, though a refresh has begun another generation since', async () => {
    const { connection } = await connect({
      source: source(),
      destination,
      streams: [
        orders({
          syncMode: 'incremental',
          destinationSyncMode: 'append',
          cursorField: ['updated_at'],
        }),
      ],
      change: { namespace: 'dst' },
    })
    await run(connection)
    await client.query(`insert into src.orders (id, name) values (9001, 'added')`)
    await run(connection)
    const streams = [{ name: 'orders', namespace: 'src' }]
    await connection.refresh({ streams, remove: true })
    expect(await connection.verify({ level: 'hash' })).toMatchObject({
      ok: true,
      streams: [{ foundRows: 5001, expectedRows: 5001 }],
    })
  })

  it('merges only what changed', async () => {
    const { connection } = await connect({
      source: source(),
      destination,
      streams: [
        orders({
          syncMode: 'incremental',
          destinationSyncMode: 'append_dedup',
          cursorField: ['updated_at'],
        }),
      ],
      change: { namespace: 'dst' },
    })
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 5000 })
    await client.query(`
      update src.orders set name = 'new', updated_at = now() where id in (1, 2, 3);
      insert into src.orders (id, name) values (9000, 'added')`)
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 4 })
    expect(await contents('dst.orders')).toEqual(await contents('src.orders'))
  })

  it.each([
    ['append', 'direct'],
    ['append_dedup', 'staged'],
  ] as const)(
    'brings rows that come later without a cursor value, by %s, %s',
    async (destinationSyncMode, transfer) => {
      await client.query(`
        alter table src.orders alter updated_at drop not null, alter updated_at drop default;
        update src.orders set updated_at = null where id <= 10`)
      const mode = { syncMode: 'incremental', destinationSyncMode } as const
      const { connection } = await connect({
        source: source(),
        destination,
        streams: [orders({ ...mode, cursorField: ['updated_at'], primaryKey: [['id']] })],
        change: { transfer, namespace: 'dst' },
      })
      expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 5000 })
      await client.query(`insert into src.orders (id, name) values (9000, 'one'), (9001, 'more')`)
      const second = await run(connection)
      expect(second).toMatchObject({ status: 'succeeded', rows: 2, warnings: 0 })
      expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 0 })
      expect(await contents('dst.orders')).toEqual(await contents('src.orders'))
      expect(await connection.verify({ level: 'hash' })).toMatchObject({ ok: true })
    },
  )

  it.each(['direct', 'staged'] as const)(
    'filters, hashes and renames, and merges by the renamed key, %s',
    async (transfer) => {
      const { connection } = await connect({
        source: source(),
        destination,
        streams: [
          orders({
            syncMode: 'incremental',
            destinationSyncMode: 'append_dedup',
            cursorField: ['updated_at'],
            primaryKey: [['id']],
            mapping: {
              filter: { field: 'id', op: 'lte', value: 3000 },
              hash: ['name'],
              rename: { id: 'order_id', name: 'name_hash', updated_at: 'changed_at' },
            },
          }),
        ],
        change: { namespace: 'dst', transfer },
      })
      const record = await run(connection)
      expect(record.streams[0]?.error).toBeUndefined()
      expect(record.receipt?.streams[0]).toMatchObject({ rowsLoaded: 3000, rowsFiltered: 2000 })
      await client.query(
        `update src.orders set name = 'same', updated_at = now() where id in (1, 2)`,
      )
      const { receipt, streams } = await run(connection)
      expect(streams[0]?.error).toBeUndefined()
      expect(receipt?.streams[0]).toMatchObject({ rowsLoaded: 2 })
      const { rows } = await client.query(`
        select count(*) as n, count(distinct order_id) as keys, min(length(name_hash)) as length,
          count(distinct name_hash) filter (where order_id in ('1', '2')) as same
        from dst.orders`)
      expect(rows).toEqual([{ n: '3000', keys: '3000', length: '64', same: '1' }])
      expect(await connection.verify({ level: 'hash' })).toMatchObject({ ok: true })
    },
  )

  it('reads a stream anew whose key is written otherwise from now on', async () => {
    const merged = orders({
      syncMode: 'incremental',
      destinationSyncMode: 'append_dedup',
      cursorField: ['updated_at'],
      primaryKey: [['id']],
    })
    await client.query('delete from src.orders where id > 100')
    const { connection } = await connect({
      source: source(),
      destination,
      streams: [merged],
      change: { namespace: 'dst' },
    })
    await run(connection)
    const count = 'select count(*) as n, count(distinct order_id) as keys from dst.orders'
    for (const mapping of [
      { rename: { id: 'order_id' } },
      { hash: ['id'], rename: { id: 'order_id' } },
    ]) {
      // Of another type is the column only if it has another name.
      if (mapping.hash) mapping.rename.id = 'order_hash'
      await connection.update({ streams: [{ ...merged, mapping }] })
      const record = await run(connection)
      expect(record.streams[0]?.error).toBeUndefined()
      const { rows } = await client.query(count.replace('order_id', mapping.rename.id))
      expect(rows).toEqual([{ n: '100', keys: '100' }])
    }
    // A mapping of other columns leaves the position as it is.
    await connection.update({
      streams: [
        { ...merged, mapping: { hash: ['id'], rename: { id: 'order_hash', name: 'title' } } },
      ],
    })
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 0 })
  })

  it('reads a stream anew that comes back with its key written otherwise', async () => {
    await client.query(`create table src.people (email text primary key, at timestamptz);
      insert into src.people select n || '@x.y', now() from generate_series(1, 10) n`)
    const people = orders({
      ...{ name: 'people', syncMode: 'incremental', destinationSyncMode: 'append_dedup' },
      ...{ cursorField: ['at'], primaryKey: [['email']] },
    })
    const { connection } = await connect({
      source: source(),
      destination,
      streams: [people],
      change: { namespace: 'dst' },
    })
    const sync = async (streams: StreamConfig[]) => {
      await connection.update({ streams })
      const record = await run(connection)
      expect(record.streams.map(({ error }) => error)).toEqual(streams.map(() => undefined))
      const { rows } = await client.query(
        'select count(*) as n, count(distinct email) as keys, min(length(email)) as least from dst.people',
      )
      return { read: record.rows, ...rows[0] }
    }
    const whole = { n: '10', keys: '10' }
    const hashed = { ...people, mapping: { hash: ['email'] } }
    expect(await sync([people])).toMatchObject(whole)
    expect(await sync([])).toMatchObject({ read: 0 })
    expect(await sync([hashed])).toEqual({ read: 10, ...whole, least: '64' })
    // As it was when it left, it goes on where it stood.
    expect(await sync([])).toMatchObject({ read: 0 })
    await client.query(`insert into src.people values ('late@x.y', now() + interval '1 s')`)
    expect(await sync([hashed])).toMatchObject({ n: '11', keys: '11', read: 1 })
  })

  it('leaves the table to a connection that is made again', async () => {
    const setup = {
      source: source(),
      destination,
      streams: [orders()],
      change: { namespace: 'dst' },
    }
    const first = await connect(setup)
    await run(first.connection)
    const second = await connect(setup)
    expect((await run(second.connection)).streams[0]?.error?.code).toBe('TABLE_TAKEN')
    await first.connection.destroy()
    const record = await run(second.connection)
    expect(record.streams[0]?.error).toBeUndefined()
    expect(await contents('dst.orders')).toEqual(await contents('src.orders'))
  })

  it('adds a column that appeared and keeps one that went', async () => {
    const { connection } = await connect({
      source: source(),
      destination,
      streams: [orders()],
      change: { namespace: 'dst' },
    })
    await run(connection)
    await client.query('alter table src.orders add column extra int default 7, drop column tags')
    expect(await run(connection)).toMatchObject({ status: 'succeeded' })
    const { rows } = await client.query('select distinct extra, tags from dst.orders')
    expect(rows).toEqual([{ extra: '7', tags: null }])
  })

  it('widens no column under the policy disable before someone lets it', async () => {
    const { connection } = await connect({
      source: source(),
      destination,
      streams: [orders()],
      change: { namespace: 'dst', schemaChanges: 'disable' },
    })
    await run(connection)
    await client.query('alter table src.orders alter amount type numeric, alter name set not null')
    const message = 'The columns of src.orders changed (retyped: amount numeric(38,10) → numeric).'
    const error = { code: 'SCHEMA_CHANGED', message }
    expect((await run(connection)).streams[0]?.error).toMatchObject(error)
    await connection.resume()
    expect((await run(connection)).streams[0]?.error).toMatchObject(error)
    await connection.update({ schemaChanges: 'propagate_columns' })
    await connection.resume()
    expect((await run(connection)).streams[0]?.error).toBeUndefined()
    await connection.update({ schemaChanges: 'disable' })
    expect((await run(connection)).streams[0]?.error).toBeUndefined()
  })

  it('pauses when the cursor column went', async () => {
    const { connection } = await connect({
      source: source(),
      destination,
      streams: [
        orders({
          syncMode: 'incremental',
          destinationSyncMode: 'append',
          cursorField: ['updated_at'],
        }),
      ],
      change: { namespace: 'dst' },
    })
    await run(connection)
    await client.query('alter table src.orders drop column updated_at')
    const record = await run(connection)
    expect(record.streams[0]?.error?.code).toBe('SCHEMA_CHANGED')
    expect(await connection.get()).toMatchObject({ status: 'paused' })
  })

  it('leaves out a value that is too large to hold, records that, and brings its row', async () => {
    await client.query(`
      truncate src.orders;
      insert into src.orders (id, name) values
        (1, 'a'), (2, repeat('x', 40000000)), (3, repeat('y', 2000000))`)
    const { connection } = await connect({
      source: source(),
      destination,
      streams: [orders()],
      change: { namespace: 'dst' },
    })
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 3 })
    const { rows } = await client.query(
      `select id, length(name) as length, _airbyte_meta->'changes'->0->>'reason' as reason
       from dst.orders order by id`,
    )
    expect(rows).toEqual([
      { id: '1', length: '1', reason: null },
      { id: '2', length: null, reason: expect.stringContaining('40000000 bytes') },
      { id: '3', length: '2000000', reason: null },
    ])
    expect(await connection.verify({ level: 'hash' })).toMatchObject({ ok: true })
  })

  it('goes row by row when a value does not fit, and keeps the row that does not', async () => {
    await client.query('create table src.texts (id int primary key, body text)')
    await client.query(`insert into src.texts select n, 'x' || n from generate_series(1, 100) n`)
    const { connection } = await connect({
      source: source(),
      destination,
      streams: [orders({ name: 'texts', destinationSyncMode: 'append' })],
      change: { namespace: 'dst' },
    })
    await run(connection)
    await client.query(
      `alter table dst.texts add constraint short check (length(body) < 3) not valid`,
    )
    const record = await run(connection)
    expect(record).toMatchObject({ status: 'succeeded' })
    expect(record.receipt?.streams[0]).toMatchObject({ rowsLoaded: 9, rowsRejected: 91 })
  })

  it('keeps rows that do not fit of several chunks, each while the next is read already', async () => {
    const { connection } = await connect({
      source: source({ chunk_rows: 700 }),
      destination,
      streams: [
        orders({
          ...{ syncMode: 'incremental', destinationSyncMode: 'append_dedup' },
          ...{ cursorField: ['updated_at'], primaryKey: [['id']] },
        }),
      ],
      change: { namespace: 'dst', transfer: 'direct', limits: { chunkBytes: 0 } },
    })
    await run(connection)
    const unfit = [1, 700, 701, 2500, 4999]
    await client.query(`
      alter table dst.orders add constraint fit check (id not in (${unfit}) or name like 'name%') not valid;
      update src.orders set name = 'new ' || id, updated_at = updated_at + interval '1 day'`)
    const record = await run(connection)
    expect(record).toMatchObject({ status: 'succeeded' })
    expect(record.receipt?.streams[0]).toMatchObject({ rowsLoaded: 4995, rowsRejected: 5 })
    const { rows } = await client.query(
      `select s.id from src.orders s join dst.orders d using (id) where d.name <> s.name order by 1`,
    )
    expect(rows.map(({ id }) => Number(id))).toEqual(unfit)
  })
})

/** Eight chunks of a hundred users, which a second sync merges into the rows of the first. */
async function chunksToMerge() {
  const { connection } = await connect({
    source: { type: 'sample-data', config: { count: 800, records_per_slice: 100 } },
    destination,
    streams: [
      stream({
        ...{ syncMode: 'full_refresh', destinationSyncMode: 'append_dedup' },
        ...{ primaryKey: [['id']], cursorField: ['updated_at'] },
      }),
    ],
    change: { namespace: 'dst', transfer: 'direct', limits: { chunkBytes: 0 } },
  })
  expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 800 })
  return connection
}

describe('chunks that follow each other into postgres, in workerd', () => {
  it('are copied by a second session while the one before is merged', async () => {
    const connection = await chunksToMerge()
    // A merge takes longer than it takes to read and copy the next rows.
    await client.query(`
      create table dst.merges (at serial, session int);
      create function dst.note() returns trigger language plpgsql as $$
        begin perform pg_sleep(0.3); insert into dst.merges (session) values (pg_backend_pid()); return null; end $$;
      create trigger note after insert on dst.users for each statement execute function dst.note()`)
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 800 })
    const { rows } = await client.query(
      'select count(distinct session) as sessions, count(*) as merges from dst.merges',
    )
    expect(rows).toEqual([{ sessions: '2', merges: '8' }])
    expect(await connection.verify({ level: 'hash' })).toMatchObject({ ok: true })
  })

  it('lose no row to those of the chunk before that do not fit', async () => {
    const connection = await chunksToMerge()
    const unfit = [1, 100, 101, 350, 800]
    await client.query(
      `alter table dst.users add constraint fit check (id not in (${unfit})) not valid`,
    )
    const record = await run(connection)
    expect(record).toMatchObject({ status: 'succeeded' })
    expect(record.receipt?.streams[0]).toMatchObject({ rowsLoaded: 795, rowsRejected: 5 })
    const { rows } = await client.query(
      `select count(*) as n from dst.users
       where (_airbyte_meta ->> 'sync_id') = (select max(_airbyte_meta ->> 'sync_id') from dst.users)`,
    )
    expect(rows).toEqual([{ n: '795' }])
  })
})

describe('postgres to r2, in workerd', () => {
  it('writes every row to the warehouse', async () => {
    const { connection } = await connect({
      source: source(),
      destination: { type: 'r2', config: {} },
      streams: [orders()],
    })
    const record = await run(connection)
    expect(record.streams[0]?.error).toBeUndefined()
    expect(record).toMatchObject({ status: 'succeeded', rows: 5000 })
    expect(await connection.verify({ level: 'count' })).toMatchObject({ ok: true })
  })
})
