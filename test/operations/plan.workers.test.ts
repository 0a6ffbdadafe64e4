import { env } from 'cloudflare:workers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configOf, createDatabase, dropDatabase, inDatabase } from './databases.ts'
import { callerOf, SAMPLE } from './support.ts'

const DATABASE = 'plan_test'
const config = configOf(DATABASE)
const sql = (text: string) => inDatabase(DATABASE, text)

interface Plan {
  planHash: string
  streams: {
    stream: string
    target: string
    action: string
    columns: { name: string; type: string }[]
    statements: string[]
    estimatedRows?: number
    targetRows?: number | null
  }[]
  warnings: { code: string; stream?: string; message: string }[]
  estimate: { rows?: number; costUsd?: number; basis: string }
}
const planOf = (answer: unknown) => answer as Plan

beforeAll(async () => {
  await createDatabase(DATABASE)
  await sql(`CREATE SCHEMA shop;
    CREATE TABLE shop.orders (id int PRIMARY KEY, total numeric(10,2), at timestamptz);
    INSERT INTO shop.orders SELECT n, n, now() FROM generate_series(1, 500) n;
    ANALYZE shop.orders`)
})
afterAll(() => dropDatabase(DATABASE))

let n = 0
async function ends() {
  const call = callerOf(env, `plan-${++n}`)
  await call('sources.create', {
    name: 'shop',
    type: 'postgres',
    config: { ...config, schemas: ['shop'] },
  })
  await call('destinations.create', {
    name: 'copy',
    type: 'postgres',
    config: { ...config, schema: `copy${n}` },
  })
  return {
    call,
    link: { name: 'link', source: 'shop', destination: 'copy', namespace: `copy${n}` },
  }
}
const ORDERS = { name: 'orders', syncMode: 'incremental', cursorField: 'at' }

describe('the schema changes of a connection', () => {
  it.each([
    ['propagate_columns', 'applied'],
    ['ignore', 'refused'],
    ['disable', 'refused'],
  ])('are shown before a sync applies them, under %s', async (schemaChanges, effect) => {
    const { call, link } = await ends()
    await sql(`DROP TABLE IF EXISTS shop.items, shop.extra;
      CREATE TABLE shop.items (id int PRIMARY KEY, price int, old text);
      INSERT INTO shop.items VALUES (1, 2, 'x')`)
    const streams = [{ name: 'items', destinationSyncMode: 'append' }]
    await call('connections.create', { ...link, streams, schemaChanges })
    const sync = async () => {
      const { syncId } = await call('connections.sync', { connection: 'link', waitSeconds: 30 })
      return call('syncs.get', { sync: syncId, waitSeconds: 30 })
    }
    expect(await sync()).toMatchObject({ status: 'succeeded' })
    const changes = () => call('connections.schemaChanges', { connection: 'link' })
    expect(await changes()).toMatchObject({ policy: schemaChanges, streams: [] })

    await sql(`ALTER TABLE shop.items ADD COLUMN note text, DROP COLUMN old,
      ALTER COLUMN price TYPE ${schemaChanges === 'ignore' ? 'text' : 'numeric'};
      CREATE TABLE shop.extra (id int PRIMARY KEY)`)
    const shown = (await changes()) as unknown as { streams: { statements: string[] }[] }
    expect(shown).toMatchObject({
      streams: [
        {
          ...{ stream: 'shop.items', effect, removed: ['old'] },
          added: [{ name: 'note', type: 'text' }],
          retyped: [{ name: 'price', from: 'integer' }],
        },
      ],
      newStreams: expect.arrayContaining(['shop.extra']),
    })
    const after = await sync()
    expect(after).toMatchObject({ status: effect === 'applied' ? 'succeeded' : 'failed' })
    if (effect !== 'applied') return
    const ddl = shown.streams[0]?.statements.join()
    expect(ddl).toMatch(
      /ADD COLUMN "note" text.*ALTER COLUMN "price" TYPE numeric|TYPE numeric.*ADD COLUMN "note" text/,
    )
    const { rows } = (await sql(
      `SELECT id, price::text, old, note FROM ${link.namespace}.items ORDER BY old NULLS LAST`,
    )) as { rows: unknown[] }
    expect(rows).toEqual([
      { id: '1', price: '2', old: 'x', note: null },
      { id: '1', price: '2', old: null, note: null },
    ])
    expect(await changes()).toMatchObject({ streams: [] })
  })
})

it('takes streams that are new at the source into a connection that propagates fully', async () => {
  const { call, link } = await ends()
  await sql(`DROP TABLE IF EXISTS shop.items, shop.extra, shop.fresh, shop.late;
    CREATE TABLE shop.items (id int PRIMARY KEY);
    CREATE TABLE shop.extra (id int PRIMARY KEY)`)
  const settings = { ...link, schemaChanges: 'propagate_fully' }
  await call('connections.create', { ...settings, streams: [{ name: 'items' }] })
  const sync = async () => {
    const { syncId } = await call('connections.sync', { connection: 'link', waitSeconds: 30 })
    expect(await call('syncs.get', { sync: syncId, waitSeconds: 30 })).toMatchObject({
      status: 'succeeded',
    })
    return call('syncs.receipt', { sync: syncId })
  }
  const changes = () => call('connections.schemaChanges', { connection: 'link' })
  expect(await sync()).toMatchObject({ warnings: [], streams: [{ stream: 'shop.items' }] })
  // It was there when the streams were chosen.
  const before = await changes()
  expect(before.newStreams).toContain('shop.extra')
  expect(before.additions).toBeUndefined()

  await sql(`CREATE TABLE shop.fresh (id int PRIMARY KEY, note text);
    INSERT INTO shop.fresh VALUES (1, 'first');
    CREATE TABLE shop.late (id int PRIMARY KEY);
    CREATE SCHEMA IF NOT EXISTS ${link.namespace}`)
  expect((await changes()).newStreams).toContain('shop.late')
  await call('connections.create', { ...link, name: 'other', streams: [{ name: 'late' }] })
  expect(await changes()).toMatchObject({
    additions: [
      {
        ...{ stream: 'shop.fresh', action: 'create', destinationSyncMode: 'overwrite' },
        target: `${link.namespace}.fresh`,
        statements: expect.arrayContaining([expect.stringContaining('CREATE TABLE')]),
      },
      { stream: 'shop.late', problem: { code: 'TABLE_TAKEN' } },
    ],
  })
  const receipt = await sync()
  expect(receipt).toMatchObject({
    warnings: [
      { code: 'STREAM_ADDED', stream: 'shop.fresh' },
      { code: 'STREAM_NOT_ADDED', stream: 'shop.late' },
    ],
    streams: [{ stream: 'shop.items' }, { stream: 'shop.fresh', rowsLoaded: 1 }],
  })
  const { rows } = (await sql(`SELECT id, note FROM ${link.namespace}.fresh`)) as {
    rows: unknown[]
  }
  expect(rows).toEqual([{ id: '1', note: 'first' }])
  expect(await call('connections.get', { connection: 'link' })).toMatchObject({
    streams: [{ name: 'items' }, { name: 'fresh' }],
  })
  const taken = call('connections.plan', { ...link, name: 'third', streams: [{ name: 'fresh' }] })
  await expect(taken).rejects.toMatchObject({ code: 'TABLE_TAKEN' })
  expect(await sync()).toMatchObject({ warnings: [{ code: 'STREAM_NOT_ADDED' }] })
})

describe('the plan of a connection', () => {
  it('shows the tables that arrays become, and takes them', async () => {
    const { call, link } = await ends()
    await call('sources.create', { name: 'sample', ...SAMPLE })
    const nested = { ...link, source: 'sample', normalization: 'nested' }
    const streams = [{ name: 'purchases' }]
    const plan = planOf(await call('connections.plan', { ...nested, streams }))
    expect(plan.streams[0]).toMatchObject({
      columns: expect.arrayContaining([{ name: 'tags_count', type: 'bigint' }]),
      tables: [
        {
          ...{ target: `${link.namespace}.purchases_tags`, array: 'tags[]' },
          columns: [
            { name: '_airbyte_parent_id', type: 'uuid' },
            { name: '_airbyte_root_id', type: 'uuid' },
            { name: '_airbyte_index', type: 'bigint' },
            { name: 'value', type: 'text' },
          ],
        },
      ],
    })
    const ddl = plan.streams[0]?.statements.filter((text) => text.startsWith('CREATE TABLE'))
    expect(ddl?.filter((text) => text.includes('purchases_tags'))).toHaveLength(1)
    await call('connections.create', { ...nested, streams, planHash: plan.planHash })
    const { syncId } = await call('connections.sync', { connection: 'link', waitSeconds: 30 })
    expect(await call('syncs.receipt', { sync: syncId })).toMatchObject({
      streams: [{ children: [{ table: 'purchases_tags', rows: expect.any(Number) }] }],
    })
    expect(await call('connections.verify', { connection: 'link', level: 'hash' })).toMatchObject({
      ok: true,
      streams: [{ children: [{ table: 'purchases_tags', ok: true }] }],
    })
    // A stream of that name would write the same table.
    await sql('DROP TABLE IF EXISTS shop.purchases_tags; CREATE TABLE shop.purchases_tags (id int)')
    const other = { ...link, name: 'other', streams: [{ name: 'purchases_tags' }] }
    await expect(call('connections.plan', other)).rejects.toMatchObject({ code: 'TABLE_TAKEN' })
    await sql('DROP TABLE shop.purchases_tags')
  })

  it('shows tables, columns, statements, modes and estimated rows, and changes nothing', async () => {
    const { call, link } = await ends()
    const plan = planOf(await call('connections.plan', { ...link, streams: [ORDERS] }))
    expect(plan.streams).toMatchObject([
      {
        ...{ stream: 'shop.orders', target: `${link.namespace}.orders`, action: 'create' },
        ...{ syncMode: 'incremental', destinationSyncMode: 'append_dedup', estimatedRows: 500 },
        ...{ primaryKey: [['id']], cursorField: ['at'], targetRows: null },
        columns: [
          { name: 'id', type: 'integer' },
          { name: 'total', type: 'numeric(10,2)' },
          { name: 'at', type: 'timestamp with time zone' },
        ],
      },
    ])
    const statements = plan.streams[0]?.statements.join('\n') ?? ''
    expect(statements).toContain(`CREATE SCHEMA "${link.namespace}"`)
    expect(statements).toMatch(/CREATE TABLE "copy\d+"."orders" \(.*"total" numeric\(10,2\)/s)
    expect(statements).toContain('CREATE UNIQUE INDEX')
    expect(plan.estimate).toMatchObject({ rows: 500, costUsd: expect.any(Number) })
    expect(plan.warnings.map(({ code }) => code)).toContain('DELETES_NOT_SEEN')
    const { rows } = (await sql(
      `SELECT FROM pg_namespace WHERE nspname = '${link.namespace}'`,
    )) as { rows: unknown[] }
    expect(rows).toEqual([])
    expect(await call('connections.list')).toMatchObject({ total: 0 })
  })

  it('is the same as long as nothing changes, and what it says of the table is what a sync does', async () => {
    const { call, link } = await ends()
    const first = planOf(await call('connections.plan', { ...link, streams: [ORDERS] }))
    const second = planOf(await call('connections.plan', { ...link, streams: [ORDERS] }))
    expect(second).toEqual(first)
    const made = await call('connections.create', {
      ...{ ...link, streams: [ORDERS], planHash: first.planHash },
    })
    expect(made).toMatchObject({ status: 'active' })
    const { syncId } = await call('connections.sync', { connection: 'link', waitSeconds: 30 })
    expect(await call('syncs.get', { sync: syncId, waitSeconds: 30 })).toMatchObject({
      status: 'succeeded',
    })
    const { rows } = (await sql(`SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute
      WHERE attrelid = '${link.namespace}.orders'::regclass AND attnum > 0 AND attname !~ '^_airbyte'
      ORDER BY attnum`)) as { rows: { type: string }[] }
    expect(rows.map(({ type }) => type)).toEqual(first.streams[0]?.columns.map(({ type }) => type))
  })

  it('is refused once a column was added at the source, and says that this is what changed', async () => {
    const { call, link } = await ends()
    const { planHash } = planOf(await call('connections.plan', { ...link, streams: [ORDERS] }))
    await sql('ALTER TABLE shop.orders ADD COLUMN note text')
    const apply = call('connections.create', { ...link, streams: [ORDERS], planHash })
    await expect(apply).rejects.toMatchObject({
      ...{ code: 'PLAN_CHANGED', field: 'planHash' },
      message: expect.stringContaining('streams of the source'),
    })
    expect(await call('connections.list')).toMatchObject({ total: 0 })
    await sql('ALTER TABLE shop.orders DROP COLUMN note')
  })

  it('is refused for other settings than those that were planned, and for a hash of nobody', async () => {
    const { call, link } = await ends()
    const { planHash } = planOf(await call('connections.plan', { ...link, streams: [ORDERS] }))
    const other = call('connections.create', {
      ...link,
      streams: ['orders'].map((name) => ({ name })),
      planHash,
    })
    await expect(other).rejects.toMatchObject({
      ...{ code: 'PLAN_CHANGED', message: expect.stringContaining('settings') },
    })
    const made = call('connections.create', { ...link, streams: [ORDERS], planHash: 'made-up' })
    await expect(made).rejects.toMatchObject({ code: 'PLAN_CHANGED' })
  })

  it('holds while the source is as it was, and not once a table of a stranger lies at the target', async () => {
    const { call, link } = await ends()
    const { planHash } = planOf(await call('connections.plan', { ...link, streams: [ORDERS] }))
    await call('sources.update', {
      source: 'shop',
      config: { port: config.port, database: 'postgres' },
    })
    await call('sources.update', { source: 'shop', config: { database: DATABASE } })
    const again = call('connections.create', { ...link, streams: [ORDERS], planHash })
    await expect(again).resolves.toMatchObject({ status: 'active' })
    const { call: other, link: second } = await ends()
    const planned = planOf(await other('connections.plan', { ...second, streams: [ORDERS] }))
    await sql(
      `CREATE SCHEMA ${second.namespace}; CREATE TABLE ${second.namespace}.orders (theirs int)`,
    )
    const apply = other('connections.create', {
      ...second,
      streams: [ORDERS],
      planHash: planned.planHash,
    })
    await expect(apply).rejects.toMatchObject({
      ...{ code: 'PLAN_CHANGED', message: expect.stringContaining('tables at the destination') },
    })
    const now = planOf(await other('connections.plan', { ...second, streams: [ORDERS] }))
    expect(now.streams).toMatchObject([{ action: 'none', problem: { code: 'TABLE_TAKEN' } }])
    expect(now.warnings[0]).toMatchObject({ code: 'STREAM_REFUSED', stream: 'shop.orders' })
  })

  it('warns that rows will be replaced, and that a table without a key gathers duplicates', async () => {
    const { call, link } = await ends()
    await sql(`CREATE SCHEMA ${link.namespace}; CREATE TABLE ${link.namespace}.orders
      (_airbyte_raw_id uuid, _airbyte_extracted_at timestamptz, _airbyte_meta jsonb,
       _airbyte_generation_id bigint, id int);
      INSERT INTO ${link.namespace}.orders (id) VALUES (1), (2); ANALYZE ${link.namespace}.orders`)
    const replacing = planOf(
      await call('connections.plan', { ...link, streams: [{ name: 'orders' }] }),
    )
    expect(replacing.streams).toMatchObject([{ action: 'replace', targetRows: 2 }])
    expect(replacing.warnings).toContainEqual(
      expect.objectContaining({ code: 'ROWS_REPLACED', stream: 'shop.orders' }),
    )
    const appending = planOf(
      await call('connections.plan', {
        ...{ ...link, streams: [{ ...ORDERS, destinationSyncMode: 'append' }] },
      }),
    )
    expect(appending.streams[0]).toMatchObject({ action: 'append' })
    expect(appending.streams[0]?.statements.join()).toContain('ADD COLUMN "total" numeric(10,2)')
    expect(appending.warnings.map(({ code }) => code)).toContain('VERSIONS_APPENDED')
  })

  it('warns of a cursor that may be null where rows without it would not be read, and only there', async () => {
    const { call, link } = await ends()
    await sql('CREATE OR REPLACE VIEW shop.recent AS SELECT * FROM shop.orders')
    const recent = { ...ORDERS, name: 'recent', primaryKey: 'id' }
    const warned = async (...streams: object[]) =>
      planOf(await call('connections.plan', { ...link, streams })).warnings.filter(
        ({ code }) => code === 'NULL_CURSORS_NOT_SEEN',
      )
    const append = { destinationSyncMode: 'append' }
    expect(await warned({ ...recent, ...append }, { ...ORDERS, ...append })).toMatchObject([
      { stream: 'shop.recent', message: expect.stringContaining("'at'") },
    ])
    expect(await warned({ ...recent, destinationSyncMode: 'append_dedup' })).toEqual([])
    await sql('DROP VIEW shop.recent')
  })

  it('warns where rows that no longer fulfil a filter stay, and only there', async () => {
    const { call, link } = await ends()
    await call('sources.create', {
      ...{ name: 'followed', type: 'postgres' },
      config: { ...config, schemas: ['shop'], replication_method: { method: 'CDC' } },
    })
    const mapping = { filter: { field: 'total', op: 'gt', value: 1 } }
    const warned = async (stream: object, source = 'shop') =>
      planOf(
        await call('connections.plan', { ...{ ...link, source }, streams: [stream] }),
      ).warnings.filter(({ code }) => code === 'FILTERED_ROWS_STAY')
    expect(await warned({ ...ORDERS, mapping })).toMatchObject([{ stream: 'shop.orders' }])
    expect(await warned(ORDERS)).toEqual([])
    expect(await warned({ ...ORDERS, mapping, destinationSyncMode: 'append' })).toEqual([])
    expect(await warned({ name: 'orders', mapping })).toEqual([])
    const { cursorField: _, ...logged } = ORDERS
    expect(await warned({ ...logged, mapping }, 'followed')).toEqual([])
  })

  it('fails as creating would: a name that is taken, a table that another connection writes', async () => {
    const { call, link } = await ends()
    await call('connections.create', { ...link, streams: [ORDERS] })
    await expect(call('connections.plan', { ...link, streams: [ORDERS] })).rejects.toMatchObject({
      code: 'NAME_TAKEN',
      field: 'name',
    })
    await expect(
      call('connections.plan', { ...link, name: 'other', streams: [ORDERS] }),
    ).rejects.toMatchObject({ code: 'TABLE_TAKEN' })
  })

  it('of the built-in warehouse names the files and needs no statements', async () => {
    const call = callerOf(env, 'plan-r2')
    await call('sources.create', { name: 'sample', ...SAMPLE })
    await call('destinations.create', { name: 'lake', type: 'r2', config: {} })
    const link = {
      name: 'link',
      source: 'sample',
      destination: 'lake',
      streams: [{ name: 'users' }],
    }
    const before = planOf(await call('connections.plan', link))
    expect(before.streams).toMatchObject([
      { target: '_/users', action: 'create', statements: [], targetRows: null },
    ])
    await call('connections.create', link)
    const { syncId } = await call('connections.sync', { connection: 'link', waitSeconds: 30 })
    await call('syncs.get', { sync: syncId, waitSeconds: 30 })
    await call('connections.delete', { connection: 'link' })
    const after = planOf(await call('connections.plan', link))
    expect(after.streams).toMatchObject([{ action: 'replace', targetRows: 25 }])
    expect(after.planHash).not.toBe(before.planHash)
  })

  it('writes an audit entry, like every operation', async () => {
    const { call, link } = await ends()
    await call('connections.plan', { ...link, streams: [ORDERS] })
    const { items } = await call('workspace.audit', { limit: 5 })
    expect((items as unknown as { op: string }[]).map(({ op }) => op)).toContain('connections.plan')
  })
})
