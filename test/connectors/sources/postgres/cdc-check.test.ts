import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import postgres from '../../../../connectors/sources/postgres/index.ts'
import { columnsOf } from '../../../../src/protocol/index.ts'
import { startPostgres } from '../../../support/embedded-postgres.ts'
import { configure, createDatabase, ctx, discover, type TestDatabase } from './support.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createDatabase('source_cdc_check')
  await db.sql(`
    DROP ROLE IF EXISTS cdc_checker; CREATE ROLE cdc_checker LOGIN PASSWORD 'checker-pw';
    CREATE TABLE t (id int PRIMARY KEY, v text); CREATE VIEW w AS SELECT * FROM t;
    CREATE PUBLICATION partial FOR TABLE t WITH (publish = 'insert')`)
})
afterAll(async () => {
  await db.sql('DROP OWNED BY cdc_checker; DROP ROLE cdc_checker')
  await db.close()
})

const cdc = (more: object = {}) => ({ replication_method: { method: 'CDC', ...more } })
const problem = async (change: object) =>
  (await postgres.check(ctx, { ...db.config, ...change })).problem
const checker = { username: 'cdc_checker', password: 'checker-pw' }

describe('check of a source that follows the log', () => {
  it('is content where slot and publication can be made, and makes none', async () => {
    expect(await postgres.check(ctx, { ...db.config, ...cdc() })).toEqual({ ok: true })
    const named = cdc({ replication_slot: 'cdc_check_slot', publication: 'cdc_check' })
    expect(await postgres.check(ctx, { ...db.config, ...named })).toEqual({ ok: true })
    const { rows } = await db.sql(
      `SELECT FROM pg_replication_slots WHERE slot_name LIKE 'cdc_check%' UNION ALL
       SELECT FROM pg_publication WHERE pubname LIKE 'cdc_check%'`,
    )
    expect(rows).toEqual([])
  })

  it('names the right to replicate, then the right to publish', async () => {
    await db.sql('GRANT USAGE ON SCHEMA public TO cdc_checker; GRANT SELECT ON t TO cdc_checker')
    expect(await problem({ ...checker, ...cdc() })).toMatchObject({
      ...{ code: 'CDC_SETUP_REQUIRED', field: 'config.username' },
      hint: expect.stringContaining('ALTER ROLE "cdc_checker" REPLICATION'),
    })
    await db.sql('ALTER ROLE cdc_checker REPLICATION')
    expect(await problem({ ...checker, ...cdc() })).toMatchObject({
      ...{ code: 'CDC_SETUP_REQUIRED', field: 'config.replication_method.publication' },
      hint: expect.stringContaining('GRANT CREATE ON DATABASE "source_cdc_check"'),
    })
    await db.sql('GRANT CREATE ON DATABASE source_cdc_check TO cdc_checker')
    expect(await problem({ ...checker, ...cdc() })).toBeUndefined()
  })

  it('refuses a publication that leaves changes out, a slot of another plugin, a name that is none', async () => {
    expect(await problem(cdc({ publication: 'partial' }))).toMatchObject({
      ...{ code: 'CDC_SETUP_REQUIRED', field: 'config.replication_method.publication' },
    })
    await db.sql(`SELECT pg_create_logical_replication_slot('cdc_check_other', 'test_decoding')`)
    try {
      expect(await problem(cdc({ replication_slot: 'cdc_check_other' }))).toMatchObject({
        ...{ code: 'CDC_SETUP_REQUIRED', field: 'config.replication_method.replication_slot' },
      })
    } finally {
      await db.sql(`SELECT pg_drop_replication_slot('cdc_check_other')`)
    }
    expect(await problem(cdc({ replication_slot: 'Not-A-Slot' }))).toMatchObject({
      ...{ code: 'VALIDATION_FAILED', field: 'config.replication_method.replication_slot' },
    })
  })

  it('names wal_level where it is not logical', async () => {
    const server = await startPostgres(['wal_level=replica'])
    try {
      const url = new URL(await server.createDatabase('plain'))
      const at = { host: url.hostname, port: Number(url.port), database: url.pathname.slice(1) }
      const who = { username: url.username, password: url.password }
      expect(await problem({ ...at, ...who, ...cdc() })).toMatchObject({
        code: 'CDC_SETUP_REQUIRED',
        hint: expect.stringContaining('wal_level = logical'),
      })
    } finally {
      await server.stop()
    }
  })
})

describe('discover of a source that follows the log', () => {
  it('offers what the log has of tables, and nothing of views', async () => {
    const streams = await discover({ ...db.config, ...cdc() })
    expect(streams.get('public.t')).toMatchObject({
      ...{ supported_sync_modes: ['full_refresh', 'incremental'], source_defined_cursor: true },
      ...{ default_cursor_field: ['_ab_cdc_lsn'], source_defined_primary_key: [['id']] },
      captures: { creates: true, updates: true, deletes: true },
    })
    expect(columnsOf(streams.get('public.t')?.json_schema ?? {}).map(({ name }) => name)).toEqual([
      ...['id', 'v', '_ab_cdc_lsn', '_ab_cdc_updated_at', '_ab_cdc_deleted_at'],
    ])
    expect(streams.get('public.w')?.supported_sync_modes).toEqual(['full_refresh'])
  })

  it('is not read by the command line, which has nobody to keep the log', async () => {
    const config = { ...db.config, ...cdc() }
    const streams = await discover(config)
    const configured = configure(streams.get('public.t'), { syncMode: 'incremental' })
    const freeze = postgres.freeze?.(ctx, config, [configured], { streams: new Map() })
    await expect(freeze).rejects.toMatchObject({
      ...{ code: 'UNSUPPORTED', field: 'config.replication_method' },
    })
  })
})
