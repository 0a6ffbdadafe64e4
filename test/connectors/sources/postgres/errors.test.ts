import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import postgres from '../../../../connectors/sources/postgres/index.ts'
import { type AirbyteError, streamKey } from '../../../../src/protocol/index.ts'
import {
  collect,
  configure,
  createDatabase,
  ctx,
  discover,
  sync,
  type TestDatabase,
} from './support.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createDatabase('source_errors')
  await db.sql(`
    DROP ROLE IF EXISTS source_reader; CREATE ROLE source_reader LOGIN PASSWORD 'reader-pw';
    CREATE TABLE open_table (id int PRIMARY KEY, a text, b text); INSERT INTO open_table VALUES (1, 'x', 'y');
    CREATE TABLE closed_table (id int PRIMARY KEY); INSERT INTO closed_table VALUES (1);
    CREATE TABLE half_open (id int PRIMARY KEY, shown text, secret text); INSERT INTO half_open VALUES (1, 's', 'no');
    CREATE SCHEMA hidden; CREATE TABLE hidden.t (id int);
    CREATE SCHEMA unreadable; CREATE TABLE unreadable.t (id int); GRANT USAGE ON SCHEMA unreadable TO source_reader;
    GRANT SELECT ON open_table TO source_reader; GRANT SELECT (id, shown) ON half_open TO source_reader;
    CREATE TABLE big AS SELECT n AS id, repeat('x', 200) AS filler FROM generate_series(1, 200000) n;
    ALTER TABLE big ADD PRIMARY KEY (id)`)
})
afterAll(async () => {
  await db.sql('DROP OWNED BY source_reader; DROP ROLE source_reader')
  await db.close()
})

const reader = () => ({ ...db.config, username: 'source_reader', password: 'reader-pw' })
const problem = async (change: object) =>
  (await postgres.check(ctx, { ...db.config, ...change })).problem

describe('check', () => {
  it('is content with a database it can read', async () => {
    expect(await postgres.check(ctx, db.config)).toEqual({ ok: true })
  })

  it('tells what is wrong, and where', async () => {
    expect(await problem({ host: undefined })).toMatchObject({
      code: 'VALIDATION_FAILED',
      field: 'config.host',
    })
    expect(await problem({ port: 1 })).toMatchObject({ code: 'HOST_UNREACHABLE' })
    expect(await problem({ password: 'canary-55' })).toMatchObject({
      code: 'AUTH_FAILED',
      field: 'config.password',
    })
    expect(await problem({ database: 'none' })).toMatchObject({
      code: 'VALIDATION_FAILED',
      field: 'config.database',
    })
    expect(await problem({ ssl_mode: { mode: 'require' } })).toMatchObject({ code: 'TLS_FAILED' })
    expect(await problem({ schemas: ['none'] })).toMatchObject({
      code: 'VALIDATION_FAILED',
      field: 'config.schemas',
    })
    const login = { username: 'source_reader', password: 'reader-pw' }
    expect(await problem({ ...login, schemas: ['hidden'] })).toMatchObject({
      code: 'PERMISSION_DENIED',
      hint: expect.stringContaining('GRANT USAGE ON SCHEMA "hidden" TO "source_reader"'),
    })
    expect(await problem({ ...login, schemas: ['unreadable'] })).toMatchObject({
      code: 'PERMISSION_DENIED',
      hint: expect.stringContaining('GRANT SELECT ON ALL TABLES IN SCHEMA "unreadable"'),
    })
    expect(JSON.stringify(await problem({ password: 'canary-55' }))).not.toContain('canary-55')
  })
})

describe('a user with few rights', () => {
  it('discovers only what it may read, column by column', async () => {
    const streams = await discover({ ...reader(), schemas: [] })
    expect([...streams.keys()]).toEqual(['public.half_open', 'public.open_table'])
    const half = streams.get('public.half_open')
    expect(Object.keys(half?.json_schema.properties ?? {})).toEqual(['id', 'shown'])
    expect((await sync(reader(), configure(half))).rows).toEqual([{ id: 1, shown: 's' }])
  })

  it('gets an error for the table it may not read, with the GRANT to run, and the others go on', async () => {
    const all = await discover(db.config)
    const streams = ['closed_table', 'open_table'].map((t) => configure(all.get(`public.${t}`)))
    const result = await collect(postgres.read(ctx, reader(), streams, { streams: new Map() }))
    expect(result.events.find((e) => e.type === 'error')).toMatchObject({
      stream: 'public.closed_table',
      error: {
        code: 'PERMISSION_DENIED',
        hint: expect.stringContaining('GRANT SELECT ON "public"."closed_table" TO "source_reader"'),
      },
    })
    expect(result.statuses).toEqual(['started', 'incomplete', 'started', 'running', 'complete'])
    expect(result.rows).toHaveLength(1)
  })

  it('is told of rows that row-level security keeps from it', async () => {
    await db.sql(`
      CREATE TABLE kept (id int PRIMARY KEY); INSERT INTO kept VALUES (1);
      ALTER TABLE kept ENABLE ROW LEVEL SECURITY; GRANT SELECT ON kept TO source_reader`)
    const warnings: string[] = []
    const log = (level: string, text: string) => level === 'warn' && warnings.push(text)
    const streams = [configure((await discover(reader())).get('public.kept'))]
    await postgres.freeze?.({ ...ctx, log }, reader(), streams, { streams: new Map() })
    expect(warnings).toEqual([expect.stringContaining('ON "public"."kept" FOR SELECT TO')])
    await db.sql('CREATE POLICY everything ON kept TO source_reader USING (true)')
    await postgres.freeze?.({ ...ctx, log }, reader(), streams, { streams: new Map() })
    expect(warnings).toHaveLength(1)
    await db.sql('DROP TABLE kept')
  })
})

describe('a table that changed since discovery', () => {
  const errorOf = async (change: string, table: string) => {
    const stream = configure((await discover(db.config)).get(`public.${table}`))
    await db.sql(change)
    return (await sync(db.config, stream)).events.find((e) => e.type === 'error')
  }

  it('is named with its column, or as gone', async () => {
    await db.sql('CREATE TABLE changing (id int PRIMARY KEY, a int, b int)')
    expect(await errorOf('ALTER TABLE changing DROP COLUMN a', 'changing')).toMatchObject({
      error: { code: 'COLUMNS_CHANGED', field: 'a', stream: 'public.changing' },
    })
    expect(await errorOf('ALTER TABLE changing ALTER b TYPE text', 'changing')).toMatchObject({
      error: { code: 'COLUMNS_CHANGED', field: 'b' },
    })
    expect(await errorOf('DROP TABLE changing', 'changing')).toMatchObject({
      error: { code: 'STREAM_NOT_FOUND' },
    })
  })
})

describe('a read that ends early', () => {
  const OURS = `FROM pg_stat_activity
    WHERE application_name = 'airbyte source' AND datname = current_database()`
  const running = async () => (await db.sql(`SELECT pid, state ${OURS}`)).rows

  it('stops at the server when the consumer stops', async () => {
    const stream = configure((await discover(db.config)).get('public.big'), {
      format: 'pg-copy-text',
    })
    for await (const event of postgres.read(ctx, db.config, [stream], { streams: new Map() })) {
      if (event.type === 'batch') break
    }
    for (let i = 0; i < 50 && (await running()).length > 0; i++) await sleep(50)
    expect(await running()).toEqual([])
  })

  it('is a lost connection when the server ends it, and resumes from its last state', async () => {
    const stream = configure((await discover(db.config)).get('public.big'), {
      format: 'pg-copy-text',
    })
    const states = new Map()
    let rows = 0
    let atState = 0
    const error = await (async () => {
      for await (const event of postgres.read(ctx, db.config, [stream], { streams: new Map() })) {
        if (event.type === 'batch' && event.batch.kind === 'encoded') rows += event.batch.rows
        if (event.type !== 'state') continue
        states.set(streamKey(stream.stream), event.state)
        atState = rows
        await db.sql(`SELECT pg_terminate_backend(pid) ${OURS}`)
      }
    })().then(
      () => undefined,
      (e: AirbyteError) => e,
    )
    expect(error).toMatchObject({
      code: 'CONNECTION_LOST',
      kind: 'transient',
      stream: 'public.big',
    })
    expect(rows).toBeLessThan(200_000)
    const rest = await sync(db.config, stream, states.get('public.big'))
    expect(atState + rest.lines.length).toBe(200_000)
  })

  it('reads 200,000 rows in bounded batches', async () => {
    for (const format of ['pg-copy-text', 'records'] as const) {
      const stream = configure((await discover(db.config)).get('public.big'), { format })
      const started = performance.now()
      const { batches } = await sync(db.config, stream)
      const seconds = (performance.now() - started) / 1000
      console.log(`${format}: ${Math.round(200_000 / seconds)} rows/s of 200 bytes`)
      const sizes = batches.map((batch) =>
        batch.kind === 'encoded' ? batch.bytes.length : batch.length,
      )
      expect(Math.max(...sizes)).toBeLessThan(format === 'records' ? 5001 : 1.2 * 2 ** 20)
    }
  })
})

describe('unusual names', () => {
  it('are read as they are', async () => {
    const schema = 'we"ird. Schéma\\'
    const table = 'Ta"ble.\\ with space'
    const long = 'ü'.repeat(31)
    const id = (name: string) => `"${name.replaceAll('"', '""')}"`
    await db.sql(`CREATE SCHEMA ${id(schema)}; CREATE TABLE ${id(schema)}.${id(table)} (${id('I"D')} int, ${id(long)} text, "select" int, "t" int, "a\\b" int, "ctid2" int, PRIMARY KEY ("select", ${id('I"D')}));
      INSERT INTO ${id(schema)}.${id(table)} SELECT n, 'v', 1, n, n, n FROM generate_series(1, 10) n`)
    const config = { ...db.config, schemas: [schema], checkpoint_rows: 3, chunk_rows: 4 }
    const stream = (await discover(config)).get(streamKey({ name: table, namespace: schema }))
    expect(stream).toMatchObject({
      name: table,
      namespace: schema,
      source_defined_primary_key: [['select'], ['I"D']],
    })
    const { rows } = await sync(config, configure(stream))
    expect(rows).toHaveLength(10)
    expect(rows[9]).toEqual({ 'I"D': 10, [long]: 'v', select: 1, t: 10, 'a\\b': 10, ctid2: 10 })
    const incremental = await sync(
      config,
      configure(stream, { syncMode: 'incremental', cursorField: ['I"D'] }),
    )
    expect(incremental.rows).toHaveLength(10)
  })

  it('may be a table without columns', async () => {
    await db.sql('CREATE TABLE no_columns (); INSERT INTO no_columns DEFAULT VALUES')
    const { rows, statuses } = await sync(
      db.config,
      configure((await discover(db.config)).get('public.no_columns')),
    )
    expect(rows).toEqual([{}])
    expect(statuses.at(-1)).toBe('complete')
  })
})
