import { afterEach, describe, expect, inject, it } from 'vitest'
import { createNodeContext } from '../../../src/egress/node-context.ts'
import type { AirbyteError } from '../../../src/protocol/index.ts'
import { KeptConnections } from '../../../src/runtime/kept-connections.ts'
import { closePostgres, connectPostgres } from '../../../src/runtime/postgres/client.ts'
import type { PostgresConfig } from '../../../src/runtime/postgres/config.ts'
import { serverFields } from '../../support/server-fields.ts'

const ctx = createNodeContext()
const config: PostgresConfig = {
  ...serverFields(inject('pgUrl')),
  ssl_mode: { mode: 'disable' },
}

const failure = (change: Partial<PostgresConfig>): Promise<AirbyteError> =>
  connectPostgres(ctx, { ...config, ...change }).then(
    () => Promise.reject(new Error('it connected')),
    (error) => error,
  )

describe('connectPostgres', () => {
  it('signs in with SCRAM and answers values as text', async () => {
    const client = await connectPostgres(ctx, config, { applicationName: 'my sync' })
    const { rows } = await client.query(
      "SELECT 9007199254740993 AS id, 0.1::float8 + 0.2 AS f, interval '1 day 2 hours' AS i, '\\xff'::bytea AS b, timestamptz '2026-01-01 00:00+02' AS t, current_setting('application_name') AS app",
    )
    expect(rows).toEqual([
      {
        id: '9007199254740993',
        f: '0.30000000000000004',
        i: 'P1DT2H',
        b: '\\xff',
        t: '2025-12-31 22:00:00+00',
        app: 'my sync',
      },
    ])
    await closePostgres(client)
  })

  it('takes session settings', async () => {
    const client = await connectPostgres(ctx, config, {
      session: { default_transaction_read_only: 'on' },
    })
    await expect(client.query('CREATE TABLE nope ()')).rejects.toMatchObject({ code: '25006' })
    await closePostgres(client)
  })

  describe('with a place to keep connections', () => {
    const kept = new KeptConnections()
    const keeping = { ...ctx, kept }
    afterEach(() => kept.close())
    const pidOf = async (client: Awaited<ReturnType<typeof connectPostgres>>) =>
      (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid

    it('takes one again that was left, with its name and settings as they were', async () => {
      const options = { applicationName: 'first', session: { enable_sort: 'off' } }
      const client = await connectPostgres(keeping, config, options)
      const pid = await pidOf(client)
      await client.query(`SET enable_sort = on; SET enable_seqscan = off; SET DateStyle = German;
        SET application_name = 'fence 5'; CREATE TEMP TABLE left_over ()`)
      await closePostgres(client)
      const again = await connectPostgres(keeping, config, options)
      expect(await pidOf(again)).toBe(pid)
      const { rows } = await again.query(`SELECT current_setting('enable_sort') AS sort,
        current_setting('enable_seqscan') AS scan, current_setting('DateStyle') AS style,
        current_setting('application_name') AS name, to_regclass('left_over') AS there`)
      expect(rows).toEqual([
        { sort: 'off', scan: 'on', style: 'ISO, YMD', name: 'first', there: null },
      ])
      // Another one meanwhile, and other settings, are other connections.
      const second = await connectPostgres(keeping, config, options)
      const other = await connectPostgres(keeping, config)
      expect(new Set([await pidOf(again), await pidOf(second), await pidOf(other)]).size).toBe(3)
      await Promise.all([again, second, other].map(closePostgres))
    })

    it('ends one that is in a transaction, and leaves one alone that the server ended', async () => {
      const client = await connectPostgres(keeping, config)
      const pid = await pidOf(client)
      await client.query('BEGIN')
      await closePostgres(client)
      const second = await connectPostgres(keeping, config)
      const secondPid = await pidOf(second)
      expect(secondPid).not.toBe(pid)
      await closePostgres(second)
      const admin = await connectPostgres(ctx, config)
      await admin.query('SELECT pg_terminate_backend($1)', [secondPid])
      await closePostgres(admin)
      const third = await connectPostgres(keeping, config)
      expect(await pidOf(third)).not.toBe(secondPid)
      await closePostgres(third)
    })

    it('ends all of them when it is closed', async () => {
      const client = await connectPostgres(keeping, config, { applicationName: 'kept to the end' })
      await closePostgres(client)
      await kept.close()
      const admin = await connectPostgres(ctx, config)
      const left = `SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'kept to the end'`
      await expect
        .poll(async () => (await admin.query(left)).rows[0].n, { timeout: 10_000 })
        .toBe('0')
      await closePostgres(admin)
    })
  })

  it.each(['prefer', 'allow'] as const)('goes on without TLS in mode %s', async (mode) => {
    const client = await connectPostgres(ctx, { ...config, ssl_mode: { mode } })
    await closePostgres(client)
  })

  it.each(['require', 'verify-ca', 'verify-full'] as const)(
    'never downgrades in mode %s',
    async (mode) => {
      const error = await failure({ ssl_mode: { mode } })
      expect(error).toMatchObject({ code: 'TLS_FAILED', field: 'config.ssl_mode' })
    },
  )

  it('tells a wrong password without repeating it', async () => {
    const error = await failure({ password: 'canary-7f3a' })
    expect(error).toMatchObject({ code: 'AUTH_FAILED', field: 'config.password' })
    expect(JSON.stringify(error) + error.stack + error.message).not.toContain('canary-7f3a')
  })

  it('tells a missing password, a missing database and a dead port apart', async () => {
    expect((await failure({ password: undefined })).code).toBe('AUTH_FAILED')
    expect(await failure({ database: 'nowhere' })).toMatchObject({
      code: 'VALIDATION_FAILED',
      field: 'config.database',
    })
    expect((await failure({ port: 1 })).code).toBe('HOST_UNREACHABLE')
  })

  it('refuses tunnels and client certificates by name', async () => {
    expect(await failure({ tunnel_method: { tunnel_method: 'SSH_KEY_AUTH' } })).toMatchObject({
      code: 'UNSUPPORTED',
      field: 'config.tunnel_method',
    })
    expect((await failure({ ssl_mode: { mode: 'verify-ca', client_certificate: 'x' } })).code).toBe(
      'UNSUPPORTED',
    )
  })
})
