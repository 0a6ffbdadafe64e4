import { describe, expect, inject, it } from 'vitest'
import { createNodeContext } from '../../../src/egress/node-context.ts'
import type { AirbyteError } from '../../../src/protocol/index.ts'
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
