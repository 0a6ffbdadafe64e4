import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  checkServer,
  checkTables,
  dropPublication,
  ensurePublication,
  ensureSlot,
  guardPublications,
  openChangeFeed,
  partitionsOf,
  tableIncarnations,
  untoldTables,
  waitForOpenTransactions,
} from '../../../src/cdc/postgres/index.ts'
import { connectPostgres } from '../../../src/runtime/postgres/client.ts'
import { createDatabase, ctx, feedOptions, type TestDatabase } from './support.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createDatabase(inject('pgUrl'), 'cdc_publication')
})
afterAll(() => db.close())

const table = (name: string, key = ['id'], insertOnly = false) => ({
  schema: 'public',
  name,
  key,
  insertOnly,
})
const publish = (name: string, ...tables: ReturnType<typeof table>[]) =>
  ensurePublication(db.client, name, tables)

describe('ensurePublication', () => {
  it('publishes the tables that are asked for and no other, and adds one later', async () => {
    await db.sql('CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)')
    expect(await publish('p1', table('a'))).toMatchObject({
      publications: ['p1'],
      added: [table('a')],
    })
    expect((await publish('p1', table('a'))).added).toEqual([])
    expect((await publish('p1', table('a'), table('b'))).added).toEqual([table('b')])
    const { rows } = await db.sql(
      `SELECT puballtables, pubviaroot,
         (SELECT count(*) FROM pg_publication_tables t WHERE t.pubname = p.pubname) AS tables
       FROM pg_publication p WHERE pubname = 'p1'`,
    )
    expect(rows).toEqual([{ puballtables: 'f', pubviaroot: 't', tables: '2' }])
  })

  it('refuses a table without replica identity, and leaves its updates alone', async () => {
    await db.sql('CREATE TABLE keyless (n int); INSERT INTO keyless VALUES (1)')
    await expect(publish('p2', table('keyless', []))).rejects.toMatchObject({
      code: 'CDC_TABLE_UNSUITABLE',
      stream: 'public.keyless',
      hint: expect.stringContaining('REPLICA IDENTITY FULL'),
    })
    await db.sql('UPDATE keyless SET n = 2')
  })

  it('captures inserts of such a table without breaking its updates', async () => {
    const { publications } = await publish('p3', table('a'), table('keyless', [], true))
    expect(publications).toEqual(['p3', 'p3_inserts'])
    await db.sql('UPDATE keyless SET n = 3; DELETE FROM keyless')
    await dropPublication(db.client, 'p3')
  })

  it('takes a table without a key once its whole old rows are in the log', async () => {
    await db.sql('CREATE TABLE whole (n int); ALTER TABLE whole REPLICA IDENTITY FULL')
    expect((await publish('p4', table('whole', []))).publications).toEqual(['p4'])
  })

  it.each([
    ['nothing', 'ALTER TABLE t REPLICA IDENTITY NOTHING', /no replica identity/],
    [
      'an index that lacks the key',
      'CREATE UNIQUE INDEX i ON t (code); ALTER TABLE t REPLICA IDENTITY USING INDEX i',
      /'id' is not part of the replica identity .* \(code\)/,
    ],
    [
      'a deferrable key',
      'ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (id) DEFERRABLE',
      /no replica identity/,
    ],
    ['no log', 'ALTER TABLE t SET UNLOGGED', /not written to the log/],
  ])('refuses a table whose replica identity is %s', async (_, alter, message) => {
    await db.sql('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, code int NOT NULL)')
    await db.sql(alter)
    await expect(publish('p5', table('t'))).rejects.toMatchObject({
      code: 'CDC_TABLE_UNSUITABLE',
      message: expect.stringMatching(message),
    })
  })

  it('looks at every partition', async () => {
    await db.sql(
      `CREATE TABLE root (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
       CREATE TABLE leaf PARTITION OF root DEFAULT; ALTER TABLE leaf REPLICA IDENTITY NOTHING`,
    )
    await expect(publish('p6', table('root', ['id', 'at']))).rejects.toMatchObject({
      message: expect.stringContaining('"public"."leaf"'),
    })
    await db.sql('ALTER TABLE leaf REPLICA IDENTITY DEFAULT')
    expect((await publish('p6', table('root', ['id', 'at']))).publications).toEqual(['p6'])
  })

  it('refuses views and what is not there', async () => {
    await db.sql('CREATE VIEW v AS SELECT 1 AS id')
    await expect(publish('p7', table('v'))).rejects.toMatchObject({ code: 'CDC_TABLE_UNSUITABLE' })
    await expect(publish('p7', table('no'))).rejects.toMatchObject({ code: 'STREAM_NOT_FOUND' })
  })

  it('publishes what a column is computed to, or says that it cannot', async () => {
    await db.sql(
      `CREATE TABLE computed (id int PRIMARY KEY, stored int GENERATED ALWAYS AS (id + 1) STORED,
         virtual int GENERATED ALWAYS AS (id + 2) VIRTUAL)`,
    )
    const wanted = (...columns: string[]) =>
      ensurePublication(db.client, 'p8', [{ ...table('computed'), columns }])
    expect((await wanted('id', 'stored')).publications).toEqual(['p8'])
    expect((await wanted('id', 'stored')).failed).toEqual([])
    expect((await wanted('id', 'virtual')).failed).toMatchObject([
      {
        code: 'CDC_TABLE_UNSUITABLE',
        stream: 'public.computed',
        message: expect.stringContaining("'virtual'"),
      },
    ])
  })

  it('says of which table an adopted publication leaves rows out', async () => {
    await db.sql(`CREATE PUBLICATION partial FOR TABLE a WHERE (id < 10), b
      WITH (publish_via_partition_root = true)`)
    expect((await publish('partial', table('a'), table('b'))).failed).toMatchObject([
      {
        code: 'CDC_TABLE_UNSUITABLE',
        stream: 'public.a',
        message: expect.stringContaining('WHERE (id < 10)'),
        hint: expect.stringContaining('ALTER PUBLICATION "partial" DROP TABLE "public"."a"'),
      },
    ])
  })

  it('refuses to adopt a publication that leaves changes out', async () => {
    await db.sql(`CREATE PUBLICATION theirs FOR TABLE a WITH (publish = 'insert')`)
    await expect(publish('theirs', table('a'))).rejects.toMatchObject({
      code: 'CDC_SETUP_REQUIRED',
      hint: expect.stringContaining('ALTER PUBLICATION'),
    })
  })
})

describe('a publication that is not what it was', () => {
  const guarded = async (name: string) => {
    const { incarnations } = await publish(name, table('a'))
    return () => guardPublications(db.client, incarnations)
  }
  const lost = (message: string) => ({
    code: 'CDC_POSITION_LOST',
    message: expect.stringContaining(message),
  })

  it('is reported when it was dropped, and when it was made anew', async () => {
    const guard = await guarded('g1')
    await guard()
    await dropPublication(db.client, 'g1')
    await expect(guard()).rejects.toMatchObject(lost('dropped'))
    await publish('g1', table('a'), table('b'))
    await expect(guard()).rejects.toMatchObject(lost('made anew'))
  })

  it('is reported when it left changes out for a moment, and not when it got a table', async () => {
    const guard = await guarded('g2')
    await publish('g2', table('a'), table('b'))
    await db.sql('ALTER PUBLICATION g2 DROP TABLE b')
    await db.sql('VACUUM FULL pg_publication')
    await guard()
    await db.sql(`ALTER PUBLICATION g2 SET (publish = 'insert');
      ALTER PUBLICATION g2 SET (publish = 'insert, update, delete, truncate')`)
    await expect(guard()).rejects.toMatchObject(lost('altered'))
  })
})

describe('a table that is not what it was', () => {
  beforeAll(() => db.sql('CREATE TABLE other (id int PRIMARY KEY)'))

  it.each([
    ['is no longer published', 'ALTER PUBLICATION g3 DROP TABLE c', 'no longer published'],
    [
      'was out of its publication for a moment',
      'ALTER PUBLICATION g3 DROP TABLE c; ALTER PUBLICATION g3 ADD TABLE c',
      'taken out',
    ],
    [
      'is published by a filter now',
      'ALTER PUBLICATION g3 SET TABLE other, c WHERE (id < 5)',
      'taken out',
    ],
    [
      'was made anew',
      'DROP TABLE c; CREATE TABLE c (id int PRIMARY KEY); ALTER PUBLICATION g3 ADD TABLE c',
      'made anew',
    ],
    [
      'gave its name to another',
      `ALTER TABLE c RENAME TO c_old; CREATE TABLE c (id int PRIMARY KEY);
       ALTER PUBLICATION g3 ADD TABLE c`,
      'another',
    ],
  ])('%s: that one is reported, and no other', async (_, alter, message) => {
    await db.sql(`DROP TABLE IF EXISTS c, c_old; CREATE TABLE c (id int PRIMARY KEY);
      DROP PUBLICATION IF EXISTS g3`)
    const tables = [table('other'), table('c')]
    await publish('g3', ...tables)
    const known = await tableIncarnations(db.client, ['g3'], tables)
    const untold = () =>
      untoldTables(
        db.client,
        ['g3'],
        tables.map((t) => ({ ...t, incarnation: known.get(`public.${t.name}`) ?? '' })),
      )
    // What the table is rewritten for changes nothing.
    await db.sql('VACUUM FULL c')
    await db.sql('ALTER TABLE c ALTER id TYPE bigint; ALTER TABLE c ADD n int')
    expect([...(await untold())]).toEqual([])
    await db.sql(alter)
    expect([...(await untold())]).toMatchObject([
      [
        'public.c',
        {
          code: 'CDC_POSITION_LOST',
          stream: 'public.c',
          message: expect.stringContaining(message),
        },
      ],
    ])
  })
})

describe('partitions', () => {
  it('are told with whether they were tables of their own before', async () => {
    await db.sql(`CREATE TABLE tree (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE made PARTITION OF tree FOR VALUES FROM (0) TO (10);
      CREATE TABLE branch PARTITION OF tree FOR VALUES FROM (20) TO (30) PARTITION BY RANGE (id);
      CREATE TABLE twig PARTITION OF branch FOR VALUES FROM (20) TO (30)`)
    await db.sql('CREATE TABLE brought (id int PRIMARY KEY)')
    await db.sql('ALTER TABLE tree ATTACH PARTITION brought FOR VALUES FROM (10) TO (20)')
    const found = await partitionsOf(db.client, [table('a'), table('tree')])
    expect([...found.keys()]).toEqual(['public.tree'])
    const parts = [...(found.get('public.tree') ?? [])].map(([name, part]) => [name, part.attached])
    expect(Object.fromEntries(parts)).toEqual({
      'public.made': false,
      'public.twig': false,
      'public.brought': true,
    })
  })
})

describe('rights', () => {
  it('names the right that is missing', async () => {
    await db.sql(`DROP ROLE IF EXISTS cdc_poor; CREATE ROLE cdc_poor LOGIN PASSWORD 'pw'`)
    const poor = await connectPostgres(ctx, { ...db.config, username: 'cdc_poor', password: 'pw' })
    try {
      await expect(checkServer(poor)).rejects.toMatchObject({
        code: 'CDC_SETUP_REQUIRED',
        field: 'config.username',
        hint: expect.stringContaining('ALTER ROLE "cdc_poor" REPLICATION'),
      })
      await expect(ensureSlot(poor, 'cdc_poor')).rejects.toMatchObject({
        code: 'CDC_SETUP_REQUIRED',
        hint: expect.stringContaining('REPLICATION'),
      })
      const feed = openChangeFeed(
        ctx,
        { ...db.config, username: 'cdc_poor', password: 'pw' },
        feedOptions('cdc_poor', { confirmed: 0n }),
      )
      await expect(feed).rejects.toMatchObject({
        code: 'CDC_SETUP_REQUIRED',
        hint: expect.stringContaining('ALTER ROLE "cdc_poor" REPLICATION'),
      })
      await expect(ensurePublication(poor, 'poor', [table('a')])).rejects.toMatchObject({
        code: 'CDC_SETUP_REQUIRED',
        hint: expect.stringContaining('CREATE PUBLICATION "poor" FOR TABLE "public"."a"'),
      })
    } finally {
      await poor.end()
      await db.sql('DROP ROLE cdc_poor')
    }
    await checkServer(db.client)
  })
})

describe('row-level security', () => {
  it('is no matter where it keeps no row from the user, and refuses the table where it may', async () => {
    await db.sql(`
      DROP ROLE IF EXISTS cdc_limited; CREATE ROLE cdc_limited LOGIN PASSWORD 'pw';
      CREATE TABLE hidden (id int PRIMARY KEY); CREATE TABLE partly (id int PRIMARY KEY);
      CREATE TABLE shown (id int PRIMARY KEY);
      ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; ALTER TABLE partly ENABLE ROW LEVEL SECURITY;
      ALTER TABLE shown ENABLE ROW LEVEL SECURITY;
      CREATE POLICY everything ON shown TO cdc_limited USING (true);
      CREATE POLICY everything ON partly TO cdc_limited USING (true);
      CREATE POLICY less ON partly AS RESTRICTIVE FOR SELECT USING (id < 5)`)
    const limited = { ...db.config, username: 'cdc_limited', password: 'pw' }
    const client = await connectPostgres(ctx, limited)
    const problems = () =>
      checkTables(
        client,
        ['hidden', 'partly', 'shown'].map((name) => table(name)),
      )
    try {
      const [hidden, partly, shown] = await problems()
      expect(hidden).toMatchObject({
        ...{ code: 'CDC_TABLE_UNSUITABLE', stream: 'public.hidden' },
        hint: expect.stringContaining('ALTER ROLE cdc_limited BYPASSRLS'),
      })
      expect(partly).toMatchObject({ code: 'CDC_TABLE_UNSUITABLE' })
      expect(shown).toBeUndefined()
      await db.sql('ALTER ROLE cdc_limited BYPASSRLS')
      expect(await problems()).toEqual([undefined, undefined, undefined])
    } finally {
      await client.end()
      await db.sql('DROP TABLE hidden, partly, shown; DROP ROLE cdc_limited')
    }
  })
})

describe('waitForOpenTransactions', () => {
  it('waits for those that were open, not for later ones', async () => {
    const open = async () => {
      const { host, port, database, username: user, password } = db.config
      const client = new pg.Client({ host, port, database, user, password })
      await client.connect()
      await client.query('BEGIN; SELECT pg_current_xact_id()')
      return client
    }
    const first = await open()
    await expect(waitForOpenTransactions(db.client, 300)).rejects.toMatchObject({ code: 'TIMEOUT' })
    let done = false
    const waiting = waitForOpenTransactions(db.client, 10_000).then(() => {
      done = true
    })
    await new Promise((resolve) => setTimeout(resolve, 300))
    const second = await open()
    expect(done).toBe(false)
    await first.query('COMMIT')
    await waiting
    await first.end()
    await second.end()
  })
})
