import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import postgres from '../../../../connectors/sources/postgres/index.ts'
import { columnsOf } from '../../../../src/protocol/index.ts'
import { collect, configure, createDatabase, ctx, discover, type TestDatabase } from './support.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createDatabase('source_discover')
  await db.sql(`
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY, region text, total numeric(10,2) NOT NULL, updated_at timestamptz, PRIMARY KEY (region, id));
    INSERT INTO orders (region, total) SELECT 'eu', n FROM generate_series(1, 500) n;
    CREATE TABLE points (at point); CREATE VIEW eu AS SELECT id, total FROM orders;
    CREATE SCHEMA other; CREATE TABLE other.t (id int PRIMARY KEY);
    CREATE TEMP TABLE temporary (id int);
    CREATE TABLE dropped (a int, b int, c int); ALTER TABLE dropped DROP COLUMN b`)
  await db.sql('ANALYZE')
})
afterAll(() => db.close())

describe('discover', () => {
  it('describes a table: key, modes, what is captured, how many rows', async () => {
    const orders = (await discover(db.config)).get('public.orders')
    expect(orders).toMatchObject({
      name: 'orders',
      namespace: 'public',
      supported_sync_modes: ['full_refresh', 'incremental'],
      source_defined_primary_key: [['region'], ['id']],
      source_defined_cursor: false,
      is_resumable: true,
      captures: { creates: true, updates: true, deletes: false },
      estimated_rows: 500,
    })
    expect(columnsOf(orders?.json_schema ?? {})).toEqual([
      {
        name: 'id',
        type: 'integer',
        nullable: false,
        native: { dialect: 'postgres', type: 'bigint' },
      },
      {
        name: 'region',
        type: 'string',
        nullable: false,
        native: { dialect: 'postgres', type: 'text' },
      },
      {
        name: 'total',
        type: 'number',
        nullable: false,
        native: { dialect: 'postgres', type: 'numeric(10,2)' },
      },
      {
        name: 'updated_at',
        type: 'timestamp_with_timezone',
        native: { dialect: 'postgres', type: 'timestamp with time zone' },
      },
    ])
  })

  it('offers no incremental mode without a column to follow, and promises no updates from an id', async () => {
    const streams = await discover(db.config)
    expect(streams.get('public.points')).toMatchObject({
      supported_sync_modes: ['full_refresh'],
      captures: { creates: false, updates: false, deletes: false },
    })
    expect(streams.get('public.eu')).toMatchObject({
      is_resumable: false,
      captures: { creates: true, updates: false, deletes: false },
    })
    expect(streams.get('public.eu')).not.toHaveProperty('source_defined_primary_key')
  })

  it('keeps to the configured schemas; without any, to all but the system', async () => {
    expect([...(await discover(db.config)).keys()]).toEqual([
      'public.dropped',
      'public.eu',
      'public.orders',
      'public.points',
    ])
    expect([...(await discover({ ...db.config, schemas: ['other'] })).keys()]).toEqual(['other.t'])
    expect((await discover({ ...db.config, schemas: [] })).size).toBe(5)
  })

  it('leaves dropped columns out', async () => {
    const dropped = (await discover(db.config)).get('public.dropped')
    expect(Object.keys(dropped?.json_schema.properties ?? {})).toEqual(['a', 'c'])
    // By its number a column is told from another one that has its name later.
    const ids = { a: expect.stringMatching(/^\d+\/1$/), c: expect.stringMatching(/^\d+\/3$/) }
    expect(dropped?.column_ids).toEqual(ids)
  })
})

describe('an aborted read', () => {
  it('ends at once with CANCELLED', async () => {
    const abort = new AbortController()
    const stream = configure((await discover(db.config)).get('public.orders'))
    const context = { ...ctx, signal: abort.signal }
    const config = { ...db.config, checkpoint_rows: 10 }
    const read = async () => {
      for await (const event of postgres.read(context, config, [stream], { streams: new Map() })) {
        if (event.type === 'batch') abort.abort()
      }
    }
    await expect(read()).rejects.toMatchObject({ code: 'CANCELLED' })
    const whole = await collect(postgres.read(ctx, config, [stream], { streams: new Map() }))
    expect(whole.rows).toHaveLength(500)
  })
})
