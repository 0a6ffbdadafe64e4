import type pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { closePostgres, connectPostgres } from '../../src/runtime/postgres/client.ts'
import type { PostgresConfig } from '../../src/runtime/postgres/config.ts'
import { workerdContext } from '../support/workerd-context.ts'
import { connect, postgresConfig, run, stream } from './harness.ts'

const SCHEMA = 'flattened'

let client: pg.Client
beforeAll(async () => {
  client = await connectPostgres(
    workerdContext(),
    postgresConfig('public') as unknown as PostgresConfig,
  )
  await client.query(`drop schema if exists ${SCHEMA} cascade`)
})
afterAll(() => closePostgres(client))

it('makes columns of the members of objects, per stream, and verifies them', async () => {
  const { connection } = await connect({
    source: { type: 'sample-data', config: { count: 300 } },
    destination: { type: 'postgres', config: postgresConfig(SCHEMA) },
    streams: [stream({ normalization: 'flatten', mapping: { rename: { address: 'home' } } })],
    change: { flattening: { separator: '__' } },
  })
  for (const times of [1, 2]) {
    const record = await run(connection)
    expect(record.streams[0]?.error).toBeUndefined()
    expect(record, `sync ${times}`).toMatchObject({ status: 'succeeded', rows: 300 })
    expect(await connection.verify({ level: 'hash' })).toMatchObject({ ok: true })
  }
  const { rows } = await client.query(
    `select count(*) as n, count(distinct home__city) > 1 as cities,
       bool_and(home__street_name like '% Street') as streets from ${SCHEMA}.users`,
  )
  expect(rows).toEqual([{ n: '300', cities: 't', streets: 't' }])
  const whole = await client.query(
    `select from information_schema.columns
     where table_schema = '${SCHEMA}' and table_name = 'users' and column_name in ('home', 'address')`,
  )
  expect(whole.rowCount).toBe(0)
})

const PURCHASES = {
  ...stream({ name: 'purchases', normalization: 'nested' }),
  primaryKey: [['id']],
  cursorField: ['updated_at'],
}

it('makes a table of the elements of an array, directly and staged, and replaces it with its rows', async () => {
  for (const transfer of ['direct', 'staged'] as const) {
    const { connection } = await connect({
      source: { type: 'sample-data', config: { count: 300 } },
      destination: { type: 'postgres', config: postgresConfig(SCHEMA) },
      streams: [PURCHASES],
      change: { transfer, prefix: `${transfer}_` },
    })
    for (const times of [1, 2]) {
      const record = await run(connection)
      expect(record.streams[0]?.error).toBeUndefined()
      expect(record, `sync ${times}`).toMatchObject({ status: 'succeeded', rows: 300 })
      expect(await connection.verify({ level: 'hash' })).toMatchObject({ ok: true })
      const [child] = (await connection.receipt(record.syncId))?.streams[0]?.children ?? []
      expect(child).toEqual({ table: `${transfer}_purchases_tags`, rows: await tagsOf(transfer) })
    }
  }
})

/** How many there are; each belongs to a purchase, which has as many as it says. */
async function tagsOf(transfer: string): Promise<number> {
  const { rows } = await client.query(
    `select (select count(*) from ${SCHEMA}.${transfer}_purchases_tags) as n, count(*) as there,
       count(*) filter (where p.tags_count = found) as told, sum(found) as linked
     from ${SCHEMA}.${transfer}_purchases as p, lateral (
       select count(*) as found from ${SCHEMA}.${transfer}_purchases_tags as t
       where t._airbyte_parent_id = p._airbyte_raw_id and t.value is not null) as c`,
  )
  const [{ n, there, told, linked }] = rows
  expect({ there, told, linked }).toEqual({ there: '300', told: '300', linked: n })
  return Number(n)
}

it('does the same in the warehouse, staged', async () => {
  const { connection } = await connect({
    source: { type: 'sample-data', config: { count: 300 } },
    destination: { type: 'r2', config: {} },
    streams: [
      stream({
        syncMode: 'incremental',
        destinationSyncMode: 'append_dedup',
        cursorField: ['updated_at'],
        primaryKey: [['id']],
      }),
      // Without `amount`, of which files keep the nearest double: the hash would tell.
      { ...PURCHASES, selectedFields: ['id', 'user_id', 'tags', 'updated_at'] },
    ],
    change: { normalization: 'flatten', transfer: 'staged' },
  })
  const record = await run(connection)
  expect(record.streams.map(({ error }) => error)).toEqual([undefined, undefined])
  expect(record).toMatchObject({ status: 'succeeded', rows: 600 })
  expect(await connection.verify({ level: 'hash' })).toMatchObject({
    ok: true,
    streams: [{ children: [{ table: 'purchases_tags', ok: true }] }, { stream: 'users' }],
  })
})
