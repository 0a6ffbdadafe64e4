import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import postgres from '../../../../connectors/destinations/postgres/index.ts'
import { createNodeContext } from '../../../../src/egress/node-context.ts'
import type { AirbyteType, Cell, Column } from '../../../../src/protocol/index.ts'
import { encodeCopyText } from '../../../../src/runtime/formats/pg-copy-text.ts'
import {
  chunk,
  createTestDatabase,
  encoded,
  planOf,
  records,
  type TestDatabase,
  USERS,
} from './support.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase('dest_schema')
})
afterAll(() => db.drop())
beforeEach(() => db.sql.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public'))

const ctx = createNodeContext()

const typesOf = async (table: string) =>
  Object.fromEntries(
    (
      await db.rows(
        `SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute
         WHERE attrelid = '${table}'::regclass AND attnum > 0 AND attname NOT LIKE '\\_airbyte%'`,
      )
    ).map(({ attname, type }) => [attname, type]),
  )

describe('prepare', () => {
  it('creates a namespace as a schema of its own', async () => {
    const loader = await db.open({ target: { namespace: 'Shop "EU"', table: 'users' } })
    await loader.prepare(1)
    expect(await db.rows('SELECT count(*)::int AS n FROM "Shop ""EU"""."users"')).toEqual([
      { n: 0 },
    ])
    await db.sql.query('DROP SCHEMA "Shop ""EU""" CASCADE')
  })

  it.each(['LATIN1', 'SQL_ASCII'])(
    'refuses a database in %s: check, plan and first sync say the same',
    async (encoding) => {
      await db.sql.query('DROP DATABASE IF EXISTS dest_letters')
      await db.sql.query(
        `CREATE DATABASE dest_letters ENCODING ${encoding} LOCALE 'C' TEMPLATE template0`,
      )
      const config = { ...db.config, database: 'dest_letters' }
      const problem = {
        ...{ code: 'VALIDATION_FAILED', kind: 'config', field: 'config.database' },
        message: expect.stringMatching(new RegExp(`dest_letters.*${encoding}`)),
        hint: expect.stringContaining('ENCODING UTF8'),
      }
      try {
        expect(await postgres.check(ctx, config)).toMatchObject({ ok: false, problem })
        for (const table of ['users', '日本']) {
          const plan = planOf({ target: { table } })
          await expect(postgres.rehearse?.(ctx, config, plan)).rejects.toMatchObject(problem)
          const loader = await postgres.open(ctx, config, plan)
          await expect(loader.prepare(1)).rejects.toMatchObject(problem)
          await loader.close()
        }
        const made = new pg.Client(new URL('/dest_letters', inject('pgUrl')).href)
        await made.connect()
        const tables = await made.query("SELECT FROM pg_tables WHERE schemaname = 'public'")
        expect(tables.rowCount).toBe(0)
        await made.end()
      } finally {
        await db.sql.query('DROP DATABASE dest_letters WITH (FORCE)')
      }
    },
  )

  it('goes on with a stream that it has in a database that is not in UTF8', async () => {
    const other = await createTestDatabase('dest_letters_of_old')
    try {
      await (await other.open({})).prepare(1)
      // As one of an earlier version, which took it.
      await db.sql.query(
        "UPDATE pg_database SET encoding = pg_char_to_encoding('LATIN1') WHERE datname = 'dest_letters_of_old'",
      )
      const loader = await other.open({})
      await loader.prepare(2)
      await loader.load(chunk('a', [records(USERS, [[1, 'Ann', null]])]), 2)
      const added = await other.open({ stream: { name: 'added' }, target: { table: 'added' } })
      await expect(added.prepare(1)).rejects.toMatchObject({ field: 'config.database' })
    } finally {
      await other.drop()
    }
  })

  it('lets several first syncs begin at once', async () => {
    const loaders = await Promise.all(
      [1, 2, 3, 4, 5].map((n) =>
        db.open({ stream: { name: `s${n}` }, target: { table: `s${n}` } }),
      ),
    )
    await Promise.all(loaders.map((loader) => loader.prepare(1)))
    const same = await Promise.all([1, 2, 3].map(() => db.open({})))
    await Promise.all(same.map((loader) => loader.prepare(1)))
  })

  it('adds columns as the schema grows, and relaxes NOT NULL', async () => {
    const first = await db.open({})
    await first.prepare(1)
    await db.sql.query('ALTER TABLE users ALTER COLUMN name SET NOT NULL')
    const columns: Column[] = [...USERS, { name: 'Age', type: 'integer' }]
    const second = await db.open({ columns })
    await second.prepare(2)
    await second.load(chunk('c1', [records(columns, [[1, null, null, 42]])]), 2)
    expect(await db.rows('SELECT name, "Age" FROM users')).toEqual([{ name: null, Age: '42' }])
    const third = await db.open({})
    await third.prepare(3)
    await third.load(chunk('c2', [records(USERS, [[2, 'b', null]])]), 3)
    expect(await db.rows('SELECT "Age" FROM users WHERE id = 2')).toEqual([{ Age: null }])
  })

  it.each(['append', 'append_dedup', 'overwrite'] as const)(
    'does not wait for readers of an unchanged table (%s)',
    async (mode) => {
      const first = await db.open({ mode })
      await first.prepare(1)
      const table = mode === 'overwrite' ? '_airbyte_next_1_users' : 'users'
      await db.sql.query(`BEGIN; SELECT * FROM ${table}`)
      await (await db.open({ mode })).prepare(2)
      await db.sql.query('COMMIT')
    },
  )

  it('names the column whose type cannot hold what the source now has', async () => {
    await (await db.open({})).prepare(1)
    const columns: Column[] = [{ name: 'id', type: 'string' }]
    const loader = await db.open({ columns })
    await expect(loader.prepare(2)).rejects.toMatchObject({
      code: 'SCHEMA_CHANGED',
      field: 'id',
      stream: 'users',
      message: expect.stringContaining('bigint'),
    })
  })

  it.each([
    ['integer', 'bigint', '7'],
    ['bigint', 'numeric', '7'],
    ['numeric(5,2)', 'numeric(9,2)', '7.00'],
    ['character varying(3)', 'text', '7'],
    ['character varying(3)', 'character varying(9)', '7'],
  ])('widens a column from %s to %s, and keeps its values', async (from, to, printed) => {
    const of = (type: string): Column[] => [
      { name: 'v', type: 'string', native: { dialect: 'postgres', type } },
    ]
    const loader = await db.open({ columns: of(from) })
    await loader.prepare(1)
    await loader.load(chunk('w', [encoded(of(from), '7\n')]), 1)
    await (await db.open({ columns: of(to) })).prepare(2)
    expect(await typesOf('users')).toEqual({ v: to })
    expect(await db.rows('SELECT v::text FROM users')).toEqual([{ v: printed }])
  })

  it('says which view keeps a column from being widened', async () => {
    await (await db.open({ columns: [{ name: 'v', type: 'integer' }] })).prepare(1)
    await db.sql.query('CREATE VIEW seen AS SELECT v FROM users')
    const loader = await db.open({ columns: [{ name: 'v', type: 'number' }] })
    await expect(loader.prepare(2)).rejects.toMatchObject({
      code: 'SCHEMA_CHANGED',
      message: expect.stringContaining('view'),
    })
  })

  it('keeps a wider column', async () => {
    await (await db.open({ columns: [{ name: 'v', type: 'number' }] })).prepare(1)
    const columns: Column[] = [{ name: 'v', type: 'integer' }]
    await (await db.open({ columns })).prepare(2)
    expect(await typesOf('users')).toEqual({ v: 'numeric' })
  })

  it('leaves a table alone that no sync made', async () => {
    await db.sql.query('CREATE TABLE users (id int)')
    await expect((await db.open({})).prepare(1)).rejects.toMatchObject({ code: 'TABLE_TAKEN' })
    expect(await typesOf('users')).toEqual({ id: 'integer' })
  })

  it('refuses the table of another connection', async () => {
    await (await db.open({})).prepare(1)
    const other = await db.open({ connectionId: 'other' })
    await expect(other.prepare(1)).rejects.toMatchObject({
      code: 'TABLE_TAKEN',
      message: expect.stringContaining("stream 'users'"),
    })
  })

  it("takes over a table of Airbyte's own destination", async () => {
    await db.sql.query(`CREATE TABLE users (_airbyte_raw_id varchar NOT NULL, _airbyte_extracted_at timestamptz NOT NULL,
      _airbyte_meta jsonb NOT NULL, _airbyte_generation_id bigint, id bigint, name varchar)`)
    const loader = await db.open({})
    await loader.prepare(1)
    await loader.load(chunk('c1', [records(USERS, [[1, 'a', null]])]), 1)
    expect(await db.rows('SELECT id, name, _airbyte_generation_id AS g FROM users')).toEqual([
      { id: '1', name: 'a', g: '1' },
    ])
  })

  it('starts again when somebody dropped the table', async () => {
    const loader = await db.open({})
    await loader.prepare(1)
    await loader.load(chunk('c1', [records(USERS, [[1, 'a', null]])]), 1)
    await db.sql.query('DROP TABLE users')
    expect(await loader.prepare(2)).toBeNull()
    expect(await loader.count()).toBe(0)
  })
})

describe('names', () => {
  it('keeps unusual names, cuts long ones, and keeps them apart', async () => {
    const long = 'ä'.repeat(40)
    const names = [
      'a"b',
      "it's",
      'Üml.aut',
      'select',
      'ctid',
      '_airbyte_meta',
      '',
      ' x ',
      'back\\slash',
    ]
    const all = [...names, `${long}1`, `${long}2`, 'A', 'a', 'tab\there', '{"j": 1}']
    const columns: Column[] = all.map((name) => ({ name, type: 'integer' }))
    const plan = {
      columns,
      mode: 'append_dedup' as const,
      primaryKey: [['a"b'], [`${long}1`]],
      cursorField: ["it's"],
      stream: { name: `we"ird ${long}` },
      target: { namespace: `n'"s ${long}`, table: `t"'${long}` },
    }
    for (const fence of [1, 2]) {
      const loader = await db.open(plan)
      await loader.prepare(fence)
      await loader.load(
        chunk(`c${fence}`, [records(columns, [all.map((_, i) => i * fence + 1)])]),
        fence,
      )
      await loader.finish(fence)
    }
    const loader = await db.open(plan)
    expect(await loader.count()).toBe(2)
    const back: string[] = []
    for await (const batch of loader.readBack?.() ?? [])
      if (batch.kind === 'encoded') back.push(new TextDecoder().decode(batch.bytes))
    expect(back.join('').split('\n')[0]).toBe(all.map((_, i) => i + 1).join('\t'))
  })
})

describe('types', () => {
  const AIRBYTE: [AirbyteType, Cell[]][] = [
    ['string', ['', 'ü€😀\\\t\n', null]],
    ['binary', ['AAEC/w==', '']],
    ['boolean', [true, false]],
    ['date', ['0044-03-15 BC', 'infinity', '12345-01-01']],
    ['time_without_timezone', ['24:00:00', '01:02:03.450']],
    ['time_with_timezone', ['01:02:03+05:30', '01:02:03Z']],
    ['timestamp_without_timezone', ['2026-01-01T01:02:03.450', '-infinity']],
    ['timestamp_with_timezone', ['2026-01-01T01:02:03.450+05:30', '0001-01-01T00:00:00Z BC']],
    ['integer', [9223372036854775807n, -1]],
    ['number', ['12345678901234567890.0123456789', 1e21, 'NaN', 0.1]],
    ['object', ['{"b": 1.50, "a": {"z": null}}', 'null', '[]']],
    ['array', ['[1, "x"]']],
    ['unknown', ['"text"', '1e2']],
  ]
  const NATIVE: [string, AirbyteType, Cell[]][] = [
    ['numeric(38,10)', 'number', ['1.5', '-0.0000000001']],
    ['uuid', 'string', ['0190b6a5-5a4f-7cc3-8b1d-2f6a7f1f0a11']],
    ['inet', 'string', ['10.0.0.0/8']],
    ['double precision', 'number', [1e20, 0.1, 5e-324]],
    ['real', 'number', [0.1]],
    ['smallint', 'integer', [-32768]],
    ['character varying(5)', 'string', ['äöü']],
    ['character(3)', 'string', ['a  ']],
    ['timestamp(3) without time zone', 'timestamp_without_timezone', ['2026-01-01T00:00:00.123']],
    ['integer[]', 'array', ['[[1, null], [2, 3]]']],
    ['text[]', 'array', ['["a,b", "", null]']],
    ['json', 'object', ['{ "b":1, "a":2 }']],
    ['jsonb', 'object', ['{"a": 1}']],
    ['interval', 'string', ['P1DT2H3M4S']],
    ['int4range', 'string', ['[1,5)']],
    ['bit varying(9)', 'string', ['0101']],
    ['xml', 'string', ['<a>&amp;</a>']],
    ['mood', 'string', ['happy']],
  ]

  it('come back byte for byte: what COPY prints is what the row hash was computed on', async () => {
    const columns: Column[] = [
      ...AIRBYTE.map(([type]) => ({ name: type, type })),
      ...NATIVE.map(([native, type]) => ({
        name: native,
        type,
        native: { dialect: 'postgres', type: native },
      })),
    ]
    const values = [...AIRBYTE.map(([, cells]) => cells), ...NATIVE.map(([, , cells]) => cells)]
    const rows = [0, 1, 2, 3].map((row) => values.map((cells) => cells[row] ?? null))
    const batch = records(columns, rows)
    const loader = await db.open({ columns })
    await loader.prepare(1)
    await loader.load(chunk('c1', [batch]), 1)
    const back: string[] = []
    for await (const part of loader.readBack?.(1) ?? [])
      if (part.kind === 'encoded') back.push(new TextDecoder().decode(part.bytes))
    expect(back.join('')).toBe(new TextDecoder().decode(encodeCopyText(batch)))
    expect(await typesOf('users')).toMatchObject({
      integer: 'bigint',
      'numeric(38,10)': 'numeric(38,10)',
      'integer[]': 'integer[]',
      mood: 'text',
    })
    for await (const _ of loader.readBack?.(2) ?? []) expect.fail('no rows of generation 2')
  })
})

describe('check', () => {
  const check = (changed = {}) => postgres.check(createNodeContext(), { ...db.config, ...changed })

  it('succeeds and leaves nothing behind', async () => {
    expect(await check()).toEqual({ ok: true })
    expect(await check({ schema: 'not yet there' })).toEqual({ ok: true })
    expect(await db.rows("SELECT FROM pg_class WHERE relname LIKE '%airbyte_check%'")).toEqual([])
  })

  it('names a missing right', async () => {
    await db.sql.query("DROP ROLE IF EXISTS weak; CREATE ROLE weak LOGIN PASSWORD 'pw'")
    const weak = { username: 'weak', password: 'pw' }
    expect(await check(weak)).toMatchObject({
      ok: false,
      problem: { code: 'PERMISSION_DENIED', hint: expect.stringContaining('GRANT USAGE, CREATE') },
    })
    expect((await check({ ...weak, schema: 'new' })).problem).toMatchObject({
      code: 'PERMISSION_DENIED',
      hint: expect.stringContaining('database'),
    })
    await db.sql.query('DROP ROLE weak')
  })

  it('names a read-only server, wrong credentials and missing fields', async () => {
    await db.sql.query('ALTER DATABASE dest_schema SET default_transaction_read_only = on')
    expect((await check()).problem).toMatchObject({ code: 'DESTINATION_READ_ONLY' })
    await expect((await db.open({})).prepare(1)).rejects.toMatchObject({
      code: 'DESTINATION_READ_ONLY',
      stream: 'users',
    })
    await db.sql.query('SET default_transaction_read_only = off')
    await db.sql.query('ALTER DATABASE dest_schema RESET default_transaction_read_only')
    expect((await check({ password: 'wrong' })).problem).toMatchObject({ code: 'AUTH_FAILED' })
    expect((await check({ host: '' })).problem).toMatchObject({ field: 'config.host' })
    expect((await check({ port: 0 })).problem).toMatchObject({ field: 'config.port' })
  })
})
