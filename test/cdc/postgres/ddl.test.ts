import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { orderOf } from '../../../src/cdc/postgres/index.ts'
import type { Column } from '../../../src/protocol/index.ts'
import { createDatabase, describeAll, follow, summary, type TestDatabase } from './support.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createDatabase(inject('pgUrl'), 'cdc_ddl')
})
afterEach(() => db.dropSlots())
afterAll(() => db.close())

describe('a table that changes while its log is read', () => {
  it('is described anew before the first row of the new form', async () => {
    await db.sql('CREATE TABLE t (id int PRIMARY KEY, a text, b text)')
    const feed = await follow(db, 't')
    await db.sql(
      `INSERT INTO t VALUES (1, 'x', 'y');
       ALTER TABLE t ADD c numeric(10,2) DEFAULT 1.5; INSERT INTO t VALUES (2, 'x', 'y', 2.5);
       ALTER TABLE t DROP a; INSERT INTO t VALUES (3, 'y', 3.25);
       ALTER TABLE t RENAME b TO renamed; INSERT INTO t VALUES (4, 'z', 4);
       ALTER TABLE t ALTER id TYPE bigint; INSERT INTO t VALUES (9007199254740993, 'z', 5)`,
    )
    const events = await feed.catchUp()
    expect(summary(events)).toEqual([
      ['i', 1, 'x', 'y'],
      'relation public.t',
      ['i', 2, 'x', 'y', '2.50'],
      'relation public.t',
      ['i', 3, 'y', 3.25],
      'relation public.t',
      ['i', 4, 'z', '4.00'],
      'relation public.t',
      ['i', 9007199254740993n, 'z', '5.00'],
    ])
    const relations = events.filter((event) => event.type === 'relation')
    expect(relations[1]?.previous?.columns.map(({ name }) => name)).toEqual(['id', 'a', 'b'])
    expect(relations[1]?.columns.at(-1)).toEqual({
      name: 'c',
      type: 'number',
      native: { dialect: 'postgres', type: 'numeric(10,2)' },
    })
  })

  it('keeps to the columns that the stream has; what is gone is null', async () => {
    await db.sql('CREATE TABLE kept (id int PRIMARY KEY, a text)')
    const columns = [
      { name: 'a', type: 'string' as const },
      { name: 'id', type: 'integer' as const },
    ]
    const feed = await follow(db, 'kept', () => ({ stream: 'kept', columns, key: ['id'] }))
    await db.sql(
      `ALTER TABLE kept ADD more int; INSERT INTO kept VALUES (1, 'x', 5);
       ALTER TABLE kept DROP a; INSERT INTO kept VALUES (2, 6); UPDATE kept SET id = 3 WHERE id = 2`,
    )
    expect(summary(await feed.catchUp()).filter((row) => typeof row !== 'string')).toEqual([
      ['i', 'x', 1],
      ['i', null, 2],
      ['d', null, 2],
      ['u', null, 3],
    ])
  })

  it('leaves out a table that is published and not asked for', async () => {
    await db.sql(
      'CREATE TABLE wanted (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY)',
    )
    const feed = await follow(db, 'wanted, other', (relation, columns) =>
      relation.name === 'wanted' ? describeAll(relation, columns) : undefined,
    )
    await db.sql(
      'INSERT INTO other VALUES (1); INSERT INTO wanted VALUES (2); TRUNCATE other; TRUNCATE wanted, other',
    )
    expect(summary(await feed.catchUp())).toEqual([['i', 2], 'truncate public.wanted'])
  })

  it('tells the rows of partitions as rows of their root, of partitions made later too', async () => {
    await db.sql(
      `CREATE TABLE parts (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
       CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10)`,
    )
    const feed = await follow(db, 'parts')
    await db.sql(`ALTER PUBLICATION ${feed.slot} SET (publish_via_partition_root = true)`)
    await feed.catchUp()
    await db.sql(
      `INSERT INTO parts VALUES (1, 'a');
       CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
       INSERT INTO parts VALUES (11, 'b'); UPDATE parts SET id = 12 WHERE id = 1`,
    )
    expect(summary(await feed.catchUp())).toEqual([
      ['i', 1, 'a'],
      ['i', 11, 'b'],
      ['d', 1, null],
      ['i', 12, 'a'],
    ])
  })

  it('is a new table when it is dropped and made again', async () => {
    await db.sql('CREATE TABLE again (id int PRIMARY KEY, a int)')
    const feed = await follow(db, 'again')
    await db.sql('INSERT INTO again VALUES (1, 1); DROP TABLE again')
    await db.sql('CREATE TABLE again (id text PRIMARY KEY)')
    await db.sql(`ALTER PUBLICATION ${feed.slot} ADD TABLE again`)
    await db.sql(`INSERT INTO again VALUES ('x')`)
    const events = await feed.catchUp()
    expect(summary(events)).toEqual([
      ['i', 1, 1],
      ['i', 'x'],
    ])
    const oids = events.flatMap((event) => (event.type === 'relation' ? event.relation.oid : []))
    expect(new Set(oids).size).toBe(2)
  })
})

describe('the types that the log tells', () => {
  it('are those of the catalog', async () => {
    await db.sql(`CREATE TYPE mood AS ENUM ('sad'); CREATE DOMAIN short AS varchar(5)`)
    const types = [
      ...['smallint', 'integer', 'bigint', 'numeric', 'numeric(5,2)', 'real', 'double precision'],
      ...['boolean', 'text', 'character(3)', 'character varying(7)', 'uuid', 'bytea', 'date'],
      ...['time(2) without time zone', 'time with time zone', 'timestamp(3) without time zone'],
      ...['timestamp with time zone', 'interval', 'json', 'jsonb', 'inet', 'bit(4)', 'int4range'],
      ...['bit varying(9)', 'numeric(3,1)[]', 'text[]', 'numeric(2,-3)'],
    ]
    const list = types.map((type, at) => `c${at} ${type}`).join(', ')
    await db.sql(`CREATE TABLE typed (id int PRIMARY KEY, ${list}, m mood, s short, cash money)`)
    const feed = await follow(db, 'typed')
    await db.sql(`INSERT INTO typed (id, m, s, cash) VALUES (1, 'sad', 'x', '-1234.5')`)
    const events = await feed.catchUp()
    const relation = events.find((event) => event.type === 'relation')
    const natives = relation?.columns.slice(1, 1 + types.length).map(({ native }) => native?.type)
    expect(natives).toEqual(types)
    expect(relation?.columns.slice(-3)).toMatchObject([
      { name: 'm', type: 'string' },
      { name: 's', type: 'string', native: { type: expect.stringContaining('character varying') } },
      { name: 'cash', type: 'number' },
    ])
    expect(summary(events)[0]).toEqual(['i', 1, ...types.map(() => null), 'sad', 'x', '-1234.50'])
  })

  it('give arrays of own types as JSON, and what is asked for as the server prints it', async () => {
    await db.sql(
      `CREATE TYPE size AS ENUM ('s', 'm'); CREATE TYPE pair AS (a int, b text);
       CREATE TABLE own (id int PRIMARY KEY, sizes size[], p pair)`,
    )
    const schema = (last: Column) => [{ name: 'id', type: 'integer' } as const, last]
    const describeAs = (last: Column) => () => ({ stream: 'own', columns: schema(last), key: [] })
    const arrays = await follow(db, 'own', describeAs({ name: 'sizes', type: 'array' }))
    await db.sql(`INSERT INTO own VALUES (1, '{s,m}', (1, 'x'))`)
    expect(summary(await arrays.catchUp())).toEqual([['i', 1, '["s", "m"]']])
    const printed = await follow(db, 'own', () => ({
      ...{ stream: 'own', columns: schema({ name: 'p', type: 'object' }), key: [] },
      printed: ['p'],
    }))
    await db.sql(`INSERT INTO own VALUES (2, '{s,m}', (1, 'x'))`)
    const events = await printed.catchUp({ copyText: true })
    expect(summary(events)).toEqual([['i', 2, '(1,x)']])
    const [batch] = events.flatMap((event) => (event.type === 'changes' ? [event.batch] : []))
    expect(batch?.printed).toEqual([{ place: 1, typeOid: expect.any(Number) }])
    expect(batch?.from).toBeLessThan(batch ? orderOf(batch, 0).commit : 0n)
  })
})
