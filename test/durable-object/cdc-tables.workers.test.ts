import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { armFaultPoint } from '../../src/core/fault-points.ts'
import { LogStore } from '../../src/durable-object/log-store.ts'
import { syncStub } from '../../src/durable-object/platform.ts'
import { closePostgres } from '../../src/runtime/postgres/client.ts'
import { type CdcDatabase, followed, openDatabase, reader } from './cdc-support.ts'
import { connect, run, TENANT } from './harness.ts'

let db: CdcDatabase
beforeAll(async () => {
  db = await openDatabase('cdc_tables')
})
afterAll(() => db.close())
beforeEach(() => db.reset())

const same = async (table: string, columns: string, key = 'id') =>
  expect(await db.contents(`dst.${table}`, columns, key)).toEqual(
    await db.contents(`src.${table}`, columns, key),
  )

async function succeeds(connection: Awaited<ReturnType<typeof connect>>['connection']) {
  const record = await run(connection)
  expect(record.streams.map(({ error }) => error)).toEqual(record.streams.map(() => undefined))
  return record
}

describe('columns that change while the log is kept', () => {
  it('are added, renamed, retyped and dropped: changes from before and after it arrive', async () => {
    await db.sql(`create type src.kind as enum ('x', 'y');
      create table src.t (id int primary key, a text, b int, k src.kind default 'x');
      insert into src.t select n, 'a' || n, n from generate_series(1, 20) n`)
    const { connection } = await connect(db.setup([{ name: 't' }]))
    await succeeds(connection)
    const changes = [
      // What was not touched since is as it was: the default of a new column is in no change.
      ['alter table src.t add extra int', `update src.t set extra = 8`, 'id, a, b, k, extra'],
      ['alter table src.t rename b to c', 'update src.t set c = c + 1', 'id, a, c, k, extra'],
      ['alter table src.t alter k type text', `update src.t set k = 'z'`, 'id, a, c, k, extra'],
      ['alter table src.t drop extra', `update src.t set a = 'w' where id = 2`, 'id, a, c, k'],
    ] as const
    for (const [n, [ddl, after, columns]] of changes.entries()) {
      await db.sql(`update src.t set a = 'before ${n}', k = 'y' where id < 5;
        insert into src.t (id, a) values (${30 + n}, 'x'); delete from src.t where id = ${n + 10}`)
      await db.sql(ddl)
      await db.sql(after)
      await succeeds(connection)
      await same('t', columns)
    }
  }, 90_000)

  it.each(['between two syncs', 'with a sync in between'])(
    'are made anew under their name and type, %s: old rows do not keep what they had',
    async (when) => {
      await db.sql(`create table src.t (id int primary key, a int, b int);
        insert into src.t select n, n, n from generate_series(1, 20) n`)
      const { connection } = await connect(db.setup([{ name: 't' }]))
      await succeeds(connection)
      await db.sql('alter table src.t drop b')
      if (when === 'with a sync in between') await succeeds(connection)
      await db.sql('alter table src.t add b int default 7')
      const error = { code: 'SCHEMA_CHANGED', message: expect.stringContaining("column 'b'") }
      expect((await run(connection)).streams[0]?.error).toMatchObject(error)
      await connection.resume()
      expect((await run(connection)).streams[0]?.error).toMatchObject(error)
      await connection.refresh({ remove: false })
      await connection.resume()
      await succeeds(connection)
      await same('t', 'id, a, b')
      await db.sql('alter table src.t add c int; update src.t set c = 1 where id = 1')
      await succeeds(connection)
    },
    90_000,
  )

  it('are composites whose types are altered: no field gets the name of another', async () => {
    await db.sql(`create type src.place as (street text, town text);
      create table src.t (id int primary key, p src.place, many src.place[]);
      insert into src.t select n, row('s' || n, 't')::src.place, array[row('a', n::text)::src.place, null]
        from generate_series(1, 20) n`)
    const { connection } = await connect(db.setup([{ name: 't' }]))
    await succeeds(connection)
    await db.sql(`insert into src.t values (30, row('"', null), '{}')`)
    await succeeds(connection)
    await same('t', 'id, to_jsonb(p), to_jsonb(many)')
    await db.sql(`update src.t set p = row('before', 'it');
      alter type src.place rename attribute street to road;
      alter type src.place rename attribute town to street;
      update src.t set many = array[row('after', 'it')::src.place], id = id + 100 where id < 10;
      insert into src.t values (40, row('x', 'y'), null)`)
    await succeeds(connection)
    await same('t', 'id, to_jsonb(p)')
  }, 90_000)

  it('added while the first snapshot runs: the sync is incomplete, and the next one completes it', async () => {
    await db.sql(`create table src.t (id int primary key, a text);
      insert into src.t select n, 'a' || n from generate_series(1, 20) n`)
    const { connection } = await connect(db.setup([{ name: 't' }]))
    // A session of its own: what one object opened, another cannot use.
    armFaultPoint('plan.frozen', 1, async () => {
      const session = await db.connect()
      await session.query(
        `alter table src.t add extra int; update src.t set extra = id where id < 4`,
      )
      await closePostgres(session)
    })
    const first = await run(connection)
    expect(first.streams[0]?.error).toMatchObject({ code: 'STREAM_INCOMPLETE', stream: 'src.t' })
    await succeeds(connection)
    await same('t', 'id, a, extra')
  })
})

describe('tables of other kinds', () => {
  it('a partitioned table is one stream, whatever partition a row is in or comes to be in', async () => {
    await db.sql(`
      create table src.p (id int, at date, v text, primary key (id, at)) partition by range (at);
      create table src.p1 partition of src.p for values from ('2026-01-01') to ('2026-02-01');
      create table src.p2 partition of src.p for values from ('2026-02-01') to ('2026-03-01');
      insert into src.p select n, date '2026-01-01' + n, 'v' || n from generate_series(1, 50) n`)
    const { connection } = await connect(
      db.setup([{ name: 'p', primaryKey: [['id'], ['at']] }], {}, { chunk_rows: 20 }),
    )
    await succeeds(connection)
    await db.sql(`
      create table src.p3 partition of src.p for values from ('2026-03-01') to ('2026-04-01');
      insert into src.p values (100, '2026-03-05', 'new');
      update src.p set at = '2026-02-20' where id = 3; delete from src.p where id = 50`)
    await succeeds(connection)
    await same('p', 'id, at, v', 'id, at')
  })

  it('of a partitioned table it is said which partitions came with rows, and which went', async () => {
    await db.sql(`
      create table src.p (id int primary key) partition by range (id);
      create table src.p1 partition of src.p for values from (0) to (10);
      insert into src.p values (1)`)
    const { connection } = await connect(db.setup([{ name: 'p' }]))
    await succeeds(connection)
    await db.sql(`create table src.made partition of src.p for values from (10) to (20);
      create table src.brought (id int primary key); insert into src.brought values (21)`)
    await db.sql(`alter table src.p attach partition src.brought for values from (20) to (30);
      alter table src.p detach partition src.p1`)
    const { syncId, receipt } = await succeeds(connection)
    const warned = (await said(syncId)).filter((line) => line.startsWith('Partitions'))
    expect(receipt?.warnings).toEqual(
      warned.map((message) => ({ code: 'CHANGES_NOT_IN_LOG', stream: 'src.p', message })),
    )
    expect(warned).toEqual([
      expect.stringMatching(/attached.* of src.p: src.brought\. /),
      expect.stringMatching(/detached.* of src.p: src.p1\. /),
    ])
    // Once.
    expect((await said((await succeeds(connection)).syncId)).join()).not.toContain('artitions')
  })

  it('of a partitioned table it is said which partition was truncated, and not which was rewritten', async () => {
    await db.sql(`create table src.p (id int primary key) partition by range (id)`)
    for (const n of [1, 2, 3]) {
      await db.sql(`create table src.p${n} partition of src.p for values from (${n}0) to (${n}9)`)
    }
    await db.sql('insert into src.p values (11), (21), (31)')
    const { connection } = await connect(db.setup([{ name: 'p' }]))
    const warned = async () => (await succeeds(connection)).receipt?.warnings
    expect(await warned()).toEqual([])
    await db.sql('truncate src.p2; insert into src.p values (22)')
    await db.sql('vacuum full src.p1')
    expect(await warned()).toMatchObject([
      {
        code: 'CHANGES_NOT_IN_LOG',
        stream: 'src.p',
        message: expect.stringMatching(/: src.p2\. /),
      },
    ])
    expect(await warned()).toEqual([])
    // That of the whole table is in the log.
    await db.sql('truncate src.p; insert into src.p values (32)')
    expect(await warned()).toEqual([])
    await same('p', 'id')
  })

  it('a table that cannot be captured fails alone, naming the statement', async () => {
    await db.sql(`create table src.keyless (a int, b text); insert into src.keyless values (1, 'x');
      create table src.good (id int primary key); insert into src.good values (1)`)
    const append = { destinationSyncMode: 'append' as const, primaryKey: [] }
    const { connection } = await connect(
      db.setup([{ name: 'keyless', ...append }, { name: 'good' }]),
    )
    const { streams } = await run(connection)
    const [keyless, good] = streams
    expect(keyless?.error).toMatchObject({ code: 'CDC_TABLE_UNSUITABLE', stream: 'src.keyless' })
    expect(keyless?.error?.hint).toContain('REPLICA IDENTITY FULL')
    expect(good?.status).toBe('succeeded')
    // Its owner can still update it.
    await db.sql(`update src.keyless set b = 'y'`)
  })

  it('without a key: by whole old rows, or inserts alone where the config says so', async () => {
    await db.sql(`create table src.whole (a int, b text); alter table src.whole replica identity full;
      create table src.events (a int); insert into src.whole values (1, 'x'); insert into src.events values (1)`)
    const append = { destinationSyncMode: 'append' as const, primaryKey: [] }
    const { connection } = await connect(
      db.setup(
        [
          { name: 'whole', ...append },
          { name: 'events', ...append },
        ],
        {
          insert_only_tables: ['src.events'],
        },
      ),
    )
    await succeeds(connection)
    await db.sql(`update src.whole set b = 'y'; delete from src.whole; insert into src.events values (2);
      update src.events set a = 3 where a = 2`)
    await succeeds(connection)
    const { rows } = await db.sql(
      'select a, b, _ab_cdc_deleted_at is not null as gone from dst.whole order by _ab_cdc_lsn, gone',
    )
    expect(rows).toEqual([
      { a: '1', b: 'x', gone: 'f' },
      { a: '1', b: 'y', gone: 'f' },
      { a: '1', b: 'y', gone: 't' },
    ])
    expect((await db.sql('select a from dst.events order by a')).rows).toEqual([
      { a: '1' },
      { a: '2' },
    ])
  })

  it('an index as replica identity is a key like any other', async () => {
    await db.sql(`create table src.t (code text not null, v int);
      create unique index by_code on src.t (code); alter table src.t replica identity using index by_code;
      insert into src.t select 'c' || n, n from generate_series(1, 10) n`)
    const { connection } = await connect(db.setup([{ name: 't', primaryKey: [['code']] }]))
    await succeeds(connection)
    await db.sql(`update src.t set v = 0 where code = 'c1'; update src.t set code = 'd2' where code = 'c2';
      delete from src.t where code = 'c3'`)
    await succeeds(connection)
    await same('t', 'code, v', 'code')
  })

  it('a table that is added later is read as new, while the others go on', async () => {
    await db.sql(`create table src.one (id int primary key, v text); create table src.two (id int primary key, v text);
      insert into src.one values (1, 'a'); insert into src.two select n, 'b' from generate_series(1, 30) n`)
    const { connection } = await connect(db.setup([{ name: 'one' }]))
    await succeeds(connection)
    await db.sql(
      `insert into src.one values (2, 'c'); update src.two set v = 'unseen' where id = 1`,
    )
    await connection.update({ streams: [followed({ name: 'one' }), followed({ name: 'two' })] })
    const { rows } = await succeeds(connection)
    expect(rows).toBe(31)
    await db.sql(`update src.one set v = 'd'; delete from src.two where id > 20`)
    await succeeds(connection)
    await same('one', 'id, v')
    await same('two', 'id, v')
  })

  it('a table that was left out for a time says that its changes of then are missing, until it is refreshed', async () => {
    await db.sql(`create table src.one (id int primary key, v text); create table src.two (id int primary key, v text);
      insert into src.one values (1, 'a'); insert into src.two values (1, 'a'), (2, 'b')`)
    const one = followed({ name: 'one' })
    const two = followed({ name: 'two' })
    const { connection } = await connect(db.setup([one, two]))
    await succeeds(connection)
    // Left out and put back before anybody looked: everything was kept.
    await connection.update({ streams: [one] })
    await db.sql(`insert into src.two values (3, 'c')`)
    await connection.update({ streams: [one, two] })
    await succeeds(connection)
    await same('two', 'id, v')

    await connection.update({ streams: [one] })
    await succeeds(connection)
    await db.sql(`delete from src.two where id = 1; insert into src.one values (2, 'b')`)
    await succeeds(connection)
    await connection.update({ streams: [one, two] })
    await db.sql(`insert into src.two values (4, 'd')`)
    for (let n = 0; n < 2; n++) {
      const { streams } = await run(connection)
      expect(streams[0]).toMatchObject({ stream: 'src.one', status: 'succeeded' })
      expect(streams[1]?.error).toMatchObject({ code: 'CDC_POSITION_LOST', stream: 'src.two' })
    }
    await connection.refresh({ streams: [{ namespace: 'src', name: 'two' }], remove: true })
    await succeeds(connection)
    await db.sql(`update src.two set v = 'e' where id = 4`)
    await succeeds(connection)
    await same('one', 'id, v')
    await same('two', 'id, v')
  }, 90_000)

  it('values of every kind come from the log as they come from the table', async () => {
    await db.sql(`create type src.mood as enum ('glad', 'sad');
      create domain src.code as varchar(10);
      create table src.t (id int primary key, big bigint, d numeric(38,10), f float8, b boolean, t text, v src.code,
        y bytea, da date, tz timestamptz, ts timestamp, tm time, u uuid, j jsonb, js json, a int[], ta text[],
        m src.mood, i inet, iv interval, mo money, n numeric);
      insert into src.t values (1, 9223372036854775807, 1234567890123456789.0123456789, 'NaN', true, E'\\t\\\\ü', 'c',
        '\\x00ff', '2026-01-02', '2026-01-02 03:04:05.678901+02', 'infinity', '23:59:59.5', gen_random_uuid(),
        '{"a": [1, 2.50]}', '{"b":  1}', '{1,NULL,3}', '{"x,y",NULL}', 'sad', '10.0.0.1/8', '1 mon 2 days', 12.5, 'NaN')`)
    const { connection } = await connect(db.setup([{ name: 't' }]))
    await succeeds(connection)
    const columns = 'id, big, d, f, b, t, v, y, da, tz, ts, tm, u, j, js, a, ta, m, i, iv, n'
    const before = await db.contents('dst.t', columns)
    await db.sql('delete from dst.t; update src.t set id = 2; update src.t set id = 1')
    await succeeds(connection)
    expect(await db.contents('dst.t', columns)).toEqual(before)
  })
})

describe('what becomes of a table at the server', { timeout: 90_000 }, () => {
  const keys = { one: { name: 'one' }, two: { name: 'two' } }
  const open = async (method = {}) => {
    await db.sql(`create table src.one (id int primary key, v text); create table src.two (id int primary key, v text);
      insert into src.one values (1, 'a'); insert into src.two values (1, 'a'), (2, 'b')`)
    const { connection } = await connect(db.setup([keys.one, keys.two], method))
    await succeeds(connection)
    await db.sql(`insert into src.one values (2, 'b')`)
    return connection
  }
  type Connection = Awaited<ReturnType<typeof open>>
  const refreshTwo = async (connection: Connection) => {
    await connection.refresh({ streams: [{ namespace: 'src', name: 'two' }], remove: true })
    await succeeds(connection)
    await db.sql(`insert into src.one values (3, 'c'); insert into src.two values (30, 'c')`)
    await succeeds(connection)
    await same('one', 'id, v')
    await same('two', 'id, v')
  }
  const onlyTwoFails = async (connection: Connection, error: object) => {
    const { streams } = await run(connection)
    expect(streams).toMatchObject([
      { stream: 'src.one', status: 'succeeded' },
      { stream: 'src.two', status: 'failed', error: { stream: 'src.two', ...error } },
    ])
    await same('one', 'id, v')
  }

  it('one that was dropped fails alone, also when it is made anew, until it is refreshed', async () => {
    const connection = await open()
    await db.sql('drop table src.two')
    await onlyTwoFails(connection, { code: 'STREAM_NOT_FOUND' })
    await db.sql(
      `create table src.two (id int primary key, v text); insert into src.two values (7, 'anew')`,
    )
    await onlyTwoFails(connection, { code: 'CDC_POSITION_LOST' })
    await refreshTwo(connection)
  })

  it('one that is not wanted any more may be dropped', async () => {
    const connection = await open()
    await connection.update({ streams: [followed(keys.one)] })
    await db.sql('drop table src.two')
    await succeeds(connection)
    await same('one', 'id, v')
    await db.sql(`insert into src.one values (3, 'c')`)
    await succeeds(connection)
    await same('one', 'id, v')
  })

  it('one that was out of the publication for a moment says so, and goes on when it is refreshed', async () => {
    const connection = await open({ publication: 'cdc_tables_p' })
    await db.sql('alter publication cdc_tables_p drop table src.two')
    await db.sql('delete from src.two where id = 1')
    await db.sql('alter publication cdc_tables_p add table src.two')
    for (let n = 0; n < 2; n++) await onlyTwoFails(connection, { code: 'CDC_POSITION_LOST' })
    await refreshTwo(connection)
  })

  it('one whose key changed for a time does not go on as if the log had told every change', async () => {
    const connection = await open()
    await db.sql(`alter table src.two add k int generated always as identity;
      alter table src.two drop constraint two_pkey; alter table src.two add primary key (k)`)
    await onlyTwoFails(connection, { code: 'CDC_TABLE_UNSUITABLE' })
    await db.sql(`update src.two set id = 9 where id = 1; alter table src.two drop constraint two_pkey;
      alter table src.two add primary key (id)`)
    await onlyTwoFails(connection, { code: 'CDC_POSITION_LOST' })
    await refreshTwo(connection)
  })

  it('one that had another name for a time has its changes of then', async () => {
    const connection = await open()
    await db.sql('alter table src.two rename to elsewhere')
    await db.sql(`insert into src.elsewhere values (6, 'f'); delete from src.elsewhere where id = 1;
      create table src.two (id int primary key, v text); insert into src.two values (99, 'of another table')`)
    await db.sql('drop table src.two; alter table src.elsewhere rename to two')
    await succeeds(connection)
    await same('one', 'id, v')
    await same('two', 'id, v')
  })

  it('one that has another name while its log is read keeps what a move of the key leaves out', async () => {
    const connection = await open()
    await db.sql(`alter table src.two alter v set storage external;
      update src.two set v = repeat('large ', 5000) where id = 1`)
    await succeeds(connection)
    await db.sql('alter table src.two rename to elsewhere')
    await db.sql('update src.elsewhere set id = 40 where id = 1')
    await onlyTwoFails(connection, { code: 'STREAM_NOT_FOUND' })
    await db.sql('alter table src.elsewhere rename to two')
    await succeeds(connection)
    await same('two', 'id, v')
  })

  it('one that gets another name before a value is asked of it fails, and has the value when it is read on', async () => {
    await db.sql(`create table src.two (id int primary key, n int, v text);
      alter table src.two alter v set storage external;
      insert into src.two values (1, 1, repeat('large ', 5000))`)
    const mapping = { filter: { field: 'n', op: 'gte', value: 1 } } as const
    const { connection } = await connect(db.setup([{ ...keys.two, mapping }]))
    await succeeds(connection)
    await db.sql('update src.two set n = 2')
    armFaultPoint('plan.frozen', 1, async () => {
      const session = await db.connect()
      await session.query('alter table src.two rename to elsewhere')
      await closePostgres(session)
    })
    expect((await run(connection)).streams[0]?.error).toMatchObject({ code: 'STREAM_NOT_FOUND' })
    await db.sql('alter table src.elsewhere rename to two')
    await succeeds(connection)
    await same('two', 'id, n, v')
  })

  it.each([
    ['values are asked of it', 1],
    ['its snapshot is read', 0],
  ])(
    'one whose name a stranger gets before %s fails, and has its own rows when it is read on',
    async (_, syncs) => {
      await db.sql(`create table src.two (id int primary key, n int, v text);
      alter table src.two alter v set storage external;
      insert into src.two values (1, 1, repeat('large ', 5000))`)
      const mapping = { filter: { field: 'n', op: 'gte', value: 1 } } as const
      const { connection } = await connect(db.setup([{ ...keys.two, mapping }]))
      for (let n = 0; n < syncs; n++) await succeeds(connection)
      await db.sql('update src.two set n = 2')
      armFaultPoint('plan.frozen', 1, async () => {
        const session = await db.connect()
        await session.query(`alter table src.two rename to elsewhere;
        create table src.two (id int primary key, n int, v text);
        insert into src.two values (1, 1, 'of a stranger'), (5, 5, 'of a stranger')`)
        await closePostgres(session)
      })
      expect((await run(connection)).streams[0]?.error).toMatchObject({
        code: 'STREAM_NOT_FOUND',
        message: expect.stringMatching(/src\.two.*another/),
      })
      await db.sql('drop table src.two; alter table src.elsewhere rename to two')
      await succeeds(connection)
      await same('two', 'id, n, v')
    },
  )

  it('one with a column that the log lacks fails alone', async () => {
    const connection = await open()
    await db.sql('alter table src.two add double int generated always as (id * 2) virtual')
    await onlyTwoFails(connection, { code: 'CDC_TABLE_UNSUITABLE' })
    const two = followed({ ...keys.two, selectedFields: ['id', 'v'] })
    await connection.update({ streams: [followed(keys.one), two] })
    await db.sql(`insert into src.two values (5, 'e')`)
    await succeeds(connection)
    await same('two', 'id, v')
  })

  it('a publication that got another owner is read on, which is said', async () => {
    const connection = await open({ publication: 'cdc_tables_p' })
    const owner = `"cdc_owner_${crypto.randomUUID()}"`
    await db.sql(`create role ${owner} superuser; alter publication cdc_tables_p owner to ${owner}`)
    await db.sql(`insert into src.two values (4, 'd')`)
    const { receipt } = await succeeds(connection)
    expect(receipt?.warnings).toMatchObject([
      { code: 'CHANGES_NOT_IN_LOG', message: expect.stringContaining('another owner') },
    ])
    expect((await succeeds(connection)).receipt?.warnings).toEqual([])
    await same('two', 'id, v')
    await db.sql(`reassign owned by ${owner} to current_user; drop role ${owner};
      alter publication cdc_tables_p set (publish = 'insert')`)
    const { streams } = await run(connection)
    expect(streams[0]?.error).toMatchObject({ code: 'CDC_POSITION_LOST' })
  })

  it('a publication that left changes out for a time does not pass for whole', async () => {
    const connection = await open({ publication: 'cdc_tables_p' })
    await db.sql(`alter publication cdc_tables_p set (publish = 'insert')`)
    await db.sql(`delete from src.two where id = 1`)
    await db.sql(
      `alter publication cdc_tables_p set (publish = 'insert, update, delete, truncate')`,
    )
    const { streams } = await run(connection)
    for (const { error } of streams) expect(error).toMatchObject({ code: 'CDC_POSITION_LOST' })
    await connection.refresh({ remove: true })
    await succeeds(connection)
    await same('one', 'id, v')
    await same('two', 'id, v')
  })
})

describe('who else is at the slot', () => {
  it('a second connection on one source is told to have its own', async () => {
    await db.sql('create table src.t (id int primary key); insert into src.t values (1)')
    const setup = db.setup([{ name: 't' }])
    const { connection, id } = await connect(setup)
    await succeeds(connection)
    const other = await connect({
      ...setup,
      change: { ...setup.change, sourceId: id, namespace: 'dst2' },
    })
    const { streams } = await run(other.connection)
    expect(streams[0]?.error).toMatchObject({ code: 'CDC_SETUP_REQUIRED', field: 'sourceId' })
    await succeeds(connection)
  })

  it('a slot that was made anew under its name is not taken for the old one', async () => {
    await db.sql('create table src.t (id int primary key); insert into src.t values (1)')
    const { connection } = await connect(
      db.setup([{ name: 't' }], { replication_slot: 'cdc_tables_s' }),
    )
    await succeeds(connection)
    await db.sql(`select pg_drop_replication_slot('cdc_tables_s')`)
    await db.sql('insert into src.t values (2)')
    await db.sql(`select pg_create_logical_replication_slot('cdc_tables_s', 'pgoutput')`)
    const { streams } = await run(connection)
    expect(streams[0]?.error).toMatchObject({ code: 'CDC_POSITION_LOST' })
  })
})

describe('many tables', () => {
  const names = Array.from({ length: 12 }, (_, i) => `t${i}`)
  const changed = (streams: { stream: string; rowsLoaded: number }[]) =>
    streams.filter(({ rowsLoaded }) => rowsLoaded > 0).map(({ stream }) => stream)

  it('a sync takes up only those of which the log has something, or whose plan is another', async () => {
    for (const name of names) {
      await db.sql(`create table src.${name} (id int primary key, a text);
        insert into src.${name} select n, 'a' || n from generate_series(1, 3) n`)
    }
    const { connection } = await connect(db.setup(names.map((name) => ({ name }))))
    expect(await succeeds(connection)).toMatchObject({ rows: 36 })

    await db.sql(`update src.t3 set a = 'b'; delete from src.t10 where id = 2`)
    const some = await succeeds(connection)
    expect(changed(some.streams)).toEqual(['src.t3', 'src.t10'])
    expect(await said(some.syncId)).toContain('reading 2 streams; 10 have no changes')
    expect(some.receipt?.streams).toHaveLength(12)

    const none = await succeeds(connection)
    expect(await said(none.syncId)).toContain('reading 0 streams; 12 have no changes')
    expect(none.streams.map(({ status }) => status)).toEqual(names.map(() => 'succeeded'))

    // A table that was passed over is read on from where it stood.
    await db.sql(`update src.t7 set a = 'c' where id = 1; alter table src.t8 add extra int`)
    const more = await succeeds(connection)
    expect(changed(more.streams)).toEqual(['src.t7'])
    expect(await said(more.syncId)).toContain('reading 2 streams; 10 have no changes')
    for (const name of ['t3', 't10', 't7']) await same(name, 'id, a')
    await same('t8', 'id, a, extra')

    await connection.refresh({ streams: [{ namespace: 'src', name: 't9' }], remove: false })
    expect(changed((await succeeds(connection)).streams)).toEqual(['src.t9'])
  }, 90_000)

  it('a log whose setup is larger than a row may be is kept, and written once', async () => {
    const tables = Array.from({ length: 60_000 }, (_, i) => ({
      schema: 'sömé',
      name: `table ${i}`,
    }))
    const place = { position: { at: 1 }, setup: { tables } }
    const ids = { id: 'log', tenantId: TENANT, sourceId: 's', connectionId: 'c' }
    await runInDurableObject(reader('large'), (_, { storage }) => {
      const store = new LogStore(storage)
      store.save({ ...ids, place, lastSegment: 0, heldUntil: 0 })
      const kept = new LogStore(storage).log()
      expect(kept?.place).toEqual(place)
      storage.sql.exec('delete from setup')
      // The position moves; the setup, which is the same, is not written again.
      if (kept) store.save({ ...kept, place: { position: { at: 2 }, setup: kept.place.setup } })
      expect(storage.sql.exec('select * from setup').toArray()).toEqual([])
      expect(store.log()?.place).toEqual({ position: { at: 2 }, setup: { tables } })
    })
  })
})

const said = async (syncId: number) =>
  (await syncStub(env, TENANT, syncId).logs({ limit: 100 })).lines.map(({ message }) => message)
