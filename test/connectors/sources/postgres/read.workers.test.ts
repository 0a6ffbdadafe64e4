import { connect } from 'cloudflare:sockets'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import postgres from '../../../../connectors/sources/postgres/index.ts'
import { createEgress } from '../../../../src/egress/index.ts'
import { workerdEgressHost } from '../../../../src/egress/workerd-host.ts'
import { type ConfiguredStream, type JsonObject, rowsOf } from '../../../../src/protocol/index.ts'
import type { ConnectorContext } from '../../../../src/runtime/contract.ts'
import { closePostgres, connectPostgres } from '../../../../src/runtime/postgres/client.ts'
import type { PostgresConfig } from '../../../../src/runtime/postgres/config.ts'
import { serverFields } from '../../../support/server-fields.ts'

const config = {
  ...serverFields((env as unknown as { PG_URL: string }).PG_URL),
  schemas: ['source_workers'],
  ssl_mode: { mode: 'prefer' },
}

const signal = new AbortController().signal
const ctx: ConnectorContext = {
  ...createEgress(
    workerdEgressHost({ connect: connect as never, resolver: async (host) => [host] }),
    { allowPrivate: true },
    signal,
  ),
  log: () => {},
  now: () => Date.now(),
  signal,
  budget: { deadline: Infinity, exhausted: () => false },
}

describe('the postgres source in workerd', () => {
  it('checks, discovers and reads both formats, and stops when told', async () => {
    const client = await connectPostgres(ctx, config as PostgresConfig)
    await client.query(
      "DROP SCHEMA IF EXISTS source_workers CASCADE; CREATE SCHEMA source_workers; CREATE TABLE source_workers.wide AS SELECT n AS id, 'name ' || n AS name, n * 1.5 AS amount, timestamptz '2026-01-01' + n * interval '1 s' AS at, repeat('x', 100) AS filler FROM generate_series(1, 100000) n; ALTER TABLE source_workers.wide ADD PRIMARY KEY (id)",
    )
    await closePostgres(client)
    expect(await postgres.check(ctx, config)).toEqual({ ok: true })
    const { streams } = await postgres.discover(ctx, config)
    const [stream] = streams
    if (!stream) throw new Error('no stream')
    for (const format of ['pg-copy-text', 'records'] as const) {
      const configured: ConfiguredStream = {
        stream,
        syncMode: 'full_refresh',
        destinationSyncMode: 'append',
        cursorField: [],
        primaryKey: [],
        generationId: 1,
        minimumGenerationId: 0,
        syncId: 1,
        format,
      }
      const read = () =>
        postgres.read(ctx, config as JsonObject, [configured], { streams: new Map() })
      let rows = 0
      const started = performance.now()
      for await (const event of read()) if (event.type === 'batch') rows += rowsOf(event.batch)
      const seconds = (performance.now() - started) / 1000
      console.log(`workerd ${format}: ${Math.round(rows / seconds)} rows/s`)
      expect(rows).toBe(100_000)
      for await (const event of read()) if (event.type === 'batch') break
    }
    const again = await connectPostgres(ctx, config as PostgresConfig)
    for (let left = 1; left > 0; ) {
      const { rows } = await again.query(
        "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'airbyte source' AND datname = current_database()",
      )
      left = Number(rows[0].n)
    }
    await closePostgres(again)
  })

  it('tells a wrong password', async () => {
    const { problem } = await postgres.check(ctx, { ...config, password: 'canary-9' })
    expect(problem).toMatchObject({ code: 'AUTH_FAILED', field: 'config.password' })
  })
})
