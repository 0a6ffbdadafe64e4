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
    ],
    change: { normalization: 'flatten', transfer: 'staged' },
  })
  const record = await run(connection)
  expect(record.streams[0]?.error).toBeUndefined()
  expect(record).toMatchObject({ status: 'succeeded', rows: 300 })
  expect(await connection.verify({ level: 'count' })).toMatchObject({ ok: true })
})
