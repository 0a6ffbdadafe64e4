import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { postgresLog } from '../../../../connectors/sources/postgres/cdc/log.ts'
import postgres from '../../../../connectors/sources/postgres/index.ts'
import { type JsonObject, streamKey } from '../../../../src/protocol/index.ts'
import type { LogPlace, StagedChanges } from '../../../../src/runtime/source-log.ts'
import { configure, createDatabase, ctx, discover, type TestDatabase } from './support.ts'

const ROLE = { username: 'cdc_follower', password: 'follower-pw' }
let db: TestDatabase
beforeAll(async () => {
  db = await createDatabase('source_cdc_log')
  await db.sql(`
    DROP ROLE IF EXISTS cdc_follower; CREATE ROLE cdc_follower LOGIN PASSWORD 'follower-pw';
    CREATE TABLE t (id int PRIMARY KEY, v text);
    CREATE TABLE bent (id int PRIMARY KEY); INSERT INTO bent VALUES (1);
    ALTER TABLE bent ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON bent USING (id / (id - id) > 0);
    GRANT USAGE ON SCHEMA public TO cdc_follower; GRANT SELECT ON t, bent TO cdc_follower`)
})
afterAll(async () => {
  await dropAll()
  await db.sql('DROP OWNED BY cdc_follower; DROP ROLE cdc_follower')
  await db.close()
})
beforeEach(() => dropAll())

const dropAll = () =>
  db.sql(`SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
    WHERE slot_name = 'cdc_log'; DROP PUBLICATION IF EXISTS cdc_log`)

const config = (): JsonObject => ({
  ...db.config,
  replication_method: { method: 'CDC', replication_slot: 'cdc_log', publication: 'cdc_log' },
})

const TABLE = { stream: { name: 't', namespace: 'public' }, columns: [], primaryKey: ['id'] }

async function prepare(kept: LogPlace | null): Promise<LogPlace> {
  const options = { name: 'cdc_log', kept, mayBeginAnew: kept !== null }
  return (await postgresLog.prepare(ctx, config(), [TABLE], options)).place
}

const publications = async () =>
  (await db.sql(`SELECT FROM pg_publication WHERE pubname = 'cdc_log'`)).rowCount

const dropSlot = () => db.sql(`SELECT pg_drop_replication_slot('cdc_log')`)

describe('a log that begins anew after its slot was lost', () => {
  it('has its publication dropped with it still', async () => {
    const first = await prepare(null)
    await dropSlot()
    const second = await prepare(first)
    await postgresLog.drop(ctx, config(), second)
    expect(await publications()).toBe(0)
  })

  it('leaves a publication that somebody else made in place of its own', async () => {
    const first = await prepare(null)
    await db.sql(`DROP PUBLICATION cdc_log; CREATE PUBLICATION cdc_log FOR TABLE t
      WITH (publish_via_partition_root)`)
    const second = await prepare(first)
    await postgresLog.drop(ctx, config(), second)
    expect(await publications()).toBe(1)
  })
})

it('says what the server objected to, and of which stream, where a snapshot is begun', async () => {
  const { position } = await prepare(null)
  const of = { ...config(), ...ROLE }
  const bent = (await discover(db.config)).get('public.bent')
  const configured = configure(bent, { syncMode: 'incremental', primaryKey: [['id']] })
  const end = { segment: 0, position }
  const changes = { prepare: async () => ({ log: 'l', end, failed: [], warnings: [] }) }
  const staged = { ...ctx, changes: changes as unknown as StagedChanges }
  const frozen = postgres.freeze?.(staged, of, [configured], { streams: new Map() })
  await expect(frozen).rejects.toMatchObject({
    ...{ code: 'UPSTREAM_ERROR', stream: bent && streamKey(bent) },
    message: expect.stringContaining('division by zero'),
  })
})

it('opens one more session for its feed however many ask for it at once, and closes it', async () => {
  const place = await prepare(null)
  let clock = 1
  const feed = await postgresLog.open({ ...ctx, now: () => clock }, config(), place, [TABLE])
  // The publications are looked at now and then, whoever acknowledges.
  clock += 60_000
  await Promise.all([feed.acknowledge(place.position), feed.acknowledge(place.position)])
  expect(await sessions()).toBe(1)
  const reading = (async () => {
    for await (const _ of feed);
  })()
  await feed.close()
  await reading
  clock += 60_000
  await feed.acknowledge(place.position)
  await expect.poll(sessions).toBe(0)
})

const sessions = async () =>
  (
    await db.sql(`SELECT FROM pg_stat_activity WHERE datname = current_database()
      AND application_name = 'airbyte cdc setup'`)
  ).rowCount
