/** A real PostgreSQL with TLS and a private CA at both ends of a sync, the Worker in workerd. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningPostgres, startPostgres } from '../../scripts/lib/embedded-postgres.ts'
import { type RunningServer, startServer } from '../../scripts/lib/local-server.ts'
import type { JsonObject } from '../../src/protocol/index.ts'
import { Airbyte } from '../../src/sdk/index.ts'

const home = mkdtempSync(join(tmpdir(), 'airbyte-tls-'))
const certificate = (name: string) =>
  readFileSync(join(import.meta.dirname, '../support/certs', name), 'utf8')
const ca_certificate = certificate('ca.pem')

let postgres: RunningPostgres
let server: RunningServer
let airbyte: Airbyte
let db: pg.Client

beforeAll(async () => {
  ;[postgres, server] = await Promise.all([
    startPostgres(),
    startServer({ stateDirectory: join(home, 'state') }),
  ])
  db = new pg.Client(await postgres.createDatabase('app'))
  await db.connect()
  await db.query(`
    create role tls_only login superuser password 'pw';
    create schema src; create schema dst;
    create table src.orders (id bigint primary key, note text);
    insert into src.orders select n, repeat('ü', 40) || n from generate_series(1, 20000) n`)
  airbyte = new Airbyte({ url: server.url })
}, 60_000)

afterAll(async () => {
  await server?.stop()
  await db?.end()
  await postgres?.stop()
  rmSync(home, { recursive: true, force: true })
})

/** Lines through a program of the server, which runs in its data directory as its own user. */
const write = (text: string, program: string) =>
  db.query(
    `copy (select unnest(string_to_array(${literal(text.trim())}, e'\\n'))) to program ${literal(program)}`,
  )
const literal = (text: string) => `'${text.replaceAll("'", "''")}'`

async function serveTls(identity: string) {
  await write(certificate(`${identity}.pem`), 'umask 077; cat > server.crt')
  await write(certificate(`${identity}.key`), 'umask 077; cat > server.key')
  await db.query('alter system set ssl = on')
  await db.query('select pg_reload_conf()')
}

const config = (ssl_mode: JsonObject, more: JsonObject): JsonObject => ({
  ...{ host: 'localhost', port: postgres.port, database: 'app' },
  ...{ username: 'tls_only', password: 'pw', ssl_mode, ...more },
})

/** A source and a destination of this SSL mode, by the same name. */
async function both(name: string, ssl_mode: JsonObject) {
  const source = config(ssl_mode, { schemas: ['src'] })
  const destination = config(ssl_mode, { schema: 'dst' })
  await airbyte.sources.create({ name, type: 'postgres', config: source })
  await airbyte.destinations.create({ name, type: 'postgres', config: destination })
  return Promise.all([airbyte.sources.check(name), airbyte.destinations.check(name)])
}

const refused = { ok: false, problem: { code: 'TLS_FAILED', field: 'config.ssl_mode' } }

describe('a server without TLS', () => {
  it('is refused where TLS is required, and named', async () => {
    const checks = await both('required', { mode: 'require' })
    expect(checks).toMatchObject([refused, refused])
    expect(checks[0]?.problem?.hint).toMatch(/prefer|TLS/)
    await expect(airbyte.sources.discover('required')).rejects.toMatchObject({ code: 'TLS_FAILED' })
  })

  it('is refused where a certificate is to be verified', async () => {
    const checks = await both('verified', { mode: 'verify-full', ca_certificate })
    expect(checks).toMatchObject([refused, refused])
  })
})

describe('a server with TLS, a private CA, and no plain connections', () => {
  beforeAll(async () => {
    await serveTls('rsa')
    await write(
      'hostnossl all tls_only all reject',
      'cat - pg_hba.conf > pg_hba.new && mv pg_hba.new pg_hba.conf',
    )
    await db.query('select pg_reload_conf()')
  })

  it('does not let anyone in without TLS', async () => {
    const checks = await both('plain', { mode: 'disable' })
    expect(checks).toMatchObject([
      { ok: false, problem: { code: 'AUTH_FAILED' } },
      { ok: false, problem: { code: 'AUTH_FAILED' } },
    ])
  })

  it('does not pass with the certificate of another CA', async () => {
    const other = { mode: 'verify-full', ca_certificate: certificate('other-ca.pem') }
    const checks = await both('other-ca', other)
    const field = 'config.ssl_mode.ca_certificate'
    expect(checks).toMatchObject([
      { ok: false, problem: { code: 'TLS_FAILED', field } },
      { ok: false, problem: { code: 'TLS_FAILED', field } },
    ])
    for (const { problem } of checks) expect(problem?.hint).toContain('CA')
  })

  it('does not pass with public authorities alone', async () => {
    const checks = await both('public', { mode: 'verify-full' })
    expect(checks).toMatchObject([refused, refused])
  })

  it('names the field of a certificate that is none', async () => {
    const checks = await both('garbage', { mode: 'verify-full', ca_certificate: 'not a PEM' })
    for (const { ok, problem } of checks) {
      expect(ok).toBe(false)
      expect(problem).toMatchObject({ code: 'TLS_FAILED', field: 'config.ssl_mode.ca_certificate' })
      expect(JSON.stringify(problem)).not.toContain('not a PEM')
    }
  })

  it.each(['verify-full', 'verify-ca', 'require', 'prefer'])('syncs with %s', async (mode) => {
    const ssl_mode = { mode, ...(mode.startsWith('verify') && { ca_certificate }) }
    expect(await both(mode, ssl_mode)).toEqual([{ ok: true }, { ok: true }])
    const prefix = `${mode.replace('-', '_')}_`
    await airbyte.connections.create({
      ...{ name: mode, source: mode, destination: mode, namespace: 'dst', prefix },
      streams: [{ name: 'orders', syncMode: 'full_refresh' }],
    })
    const sync = await airbyte.connections.sync(mode)
    expect(await sync.done()).toMatchObject({ status: 'succeeded', rows: 20_000 })
    const { rows } = await db.query(
      `select count(*)::int as same from src.orders join dst.${prefix}orders using (id, note)`,
    )
    expect(rows).toEqual([{ same: 20_000 }])
  })

  it('fails a sync, without a row, once its certificate has expired', async () => {
    await serveTls('expired')
    const sync = await airbyte.connections.sync('verify-full')
    await expect(sync.done()).rejects.toMatchObject({ code: 'TLS_FAILED' })
    expect(await airbyte.syncs.receipt(sync.syncId)).toMatchObject({ status: 'failed' })
    await serveTls('rsa')
    const again = await airbyte.connections.sync('verify-full')
    expect(await again.done()).toMatchObject({ status: 'succeeded', rows: 20_000 })
  })
})
