import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { refreshed, signIn } from '../../src/cli/login.ts'
import { runCommand } from '../support/command-line.ts'
import { type RunningServer, startServer } from '../support/dev-server.ts'

let server: RunningServer
let home: string
const extra: Record<string, string> = {}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'airbyte-cli-'))
  server = await startServer({ stateDirectory: join(home, 'state') })
}, 60_000)
afterAll(async () => {
  await server?.stop()
  rmSync(home, { recursive: true, force: true })
})

const airbyte = (...argv: string[]) =>
  runCommand({ env: { HOME: home, AIRBYTE_URL: server.url, ...extra } }, argv)

const json = async (...argv: string[]) => {
  const { code, out, err } = await airbyte(...argv, '--json')
  expect(err).toBe('')
  expect(code).toBe(0)
  return JSON.parse(out)
}

describe('a pipeline by command line', () => {
  it('is built from flags with the types that the connector has', async () => {
    const source = await json('sources', 'create', 'people', 'sample-data', '--config.count', '30')
    expect(source).toMatchObject({ name: 'people', status: 'active', config: { count: 30 } })
    await json('destinations', 'create', 'nowhere', 'dev-null', '--config', '{}')
    expect((await airbyte('check', 'people')).out).toMatch(/^ok\s+true$/m)
    const connection = await json(
      ...['connections', 'create', 'copy', 'people', 'nowhere', '--streams', 'users'],
      ...['--schedule.cron', '0 3 * * *', '--schedule.timezone', 'Europe/Berlin'],
    )
    expect(connection).toMatchObject({
      schedule: { cron: '0 3 * * *', timezone: 'Europe/Berlin' },
      streams: [{ name: 'users', syncMode: 'full_refresh' }],
    })
  })

  it('syncs and waits for the end', async () => {
    const { code, out } = await airbyte('sync', 'copy', '--wait')
    expect(code).toBe(0)
    expect(out).toMatch(/status\s+succeeded/)
    expect(out).toMatch(/users\s+.*30/)
    expect((await airbyte('logs', '1', '--follow')).code).toBe(0)
    expect(await json('syncs', 'receipt', '1')).toMatchObject({ streams: [{ rowsLoaded: 30 }] })
  })

  it('backfills a range and waits for the end', async () => {
    await json(
      ...['connections', 'create', 'grow', 'people', 'nowhere', '--prefix', 'grow_'],
      ...['--streams', '[{"name":"users","syncMode":"incremental"}]'],
    )
    const range = ['grow', 'users', 'id', '--from', '11', '--to', '15', '--wait']
    expect(await json('connections', 'backfill', ...range)).toMatchObject({
      ...{ status: 'succeeded', rows: 4, finished: true },
    })
    await airbyte('connections', 'delete', 'grow', '--confirm', 'grow')
  })

  it('lists short tables', async () => {
    const { out } = await airbyte('connections', 'list')
    const [head, row] = out.split('\n')
    expect(head).toMatch(/^KIND\s+NAME\s+STATUS/)
    expect(row).toMatch(/^connection\s+copy\s+active/)
  })
})

describe('a workspace in a file', () => {
  const database = ['--config.host', 'db.example.com', '--config.port', '5432']
  const account = ['--config.database', 'app', '--config.username', 'me']

  it('is exported without secrets, changed, and applied after its plan was shown', async () => {
    extra.PG_CONFIG_PASSWORD = 'canary: "quoted" \'12345'
    const password = ['--config.password', `\${env:PG_CONFIG_PASSWORD}`]
    await json('destinations', 'create', 'pg', 'postgres', ...database, ...account, ...password)
    const file = join(home, 'workspace.yaml')
    await airbyte('export', '-o', file)
    const yaml = readFileSync(file, 'utf8')
    expect(yaml).not.toContain('canary')
    expect(yaml).toContain(`\${env:PG_PASSWORD}`)

    writeFileSync(file, yaml.replace('count: 30', 'count: 31'))
    const refused = await airbyte('apply', '-f', file)
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('--yes') })
    expect(refused.out).toMatch(/source\s+people\s+update\s+config\.count/)
    expect(await airbyte('apply', '-f', file, '--yes')).toMatchObject({ code: 0, err: '' })
    expect(await json('sources', 'get', 'people')).toMatchObject({ config: { count: 31 } })
    expect((await json('apply', '-f', file)).applied).toBe(false)
  })
})

describe('what goes wrong', () => {
  it('in the command line ends with 2 and the nearest right one', async () => {
    expect(await airbyte('conections', 'list')).toMatchObject({
      ...{ code: 2, err: expect.stringContaining("'connections list'") },
    })
    expect(await airbyte('sources', 'list', '--limt', '3')).toMatchObject({
      ...{ code: 2, err: expect.stringContaining('--limit') },
    })
    expect((await airbyte('sources', 'get')).code).toBe(2)
  })

  it('on the server ends with 1, the code and the next step', async () => {
    expect(await airbyte('sources', 'get', 'peple')).toMatchObject({
      ...{ code: 1, out: '', err: expect.stringMatching(/NOT_FOUND[\s\S]*Did you mean people/) },
    })
  })

  it('without a server says where it looked', async () => {
    const { code, err } = await airbyte('sources', 'list', '--url', 'http://127.0.0.1:9')
    expect(code).toBe(1)
    expect(err).toContain('http://127.0.0.1:9')
  })
})

it('keeps a token where only its owner can read it', async () => {
  const key = await json('keys', 'create', 'ci', '--scopes', 'workspace:read')
  const { code } = await airbyte('login', '--token', key.token)
  expect(code).toBe(0)
  const path = join(home, '.config', 'airbyte', 'config.json')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  const refused = await airbyte('sources', 'delete', 'people')
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('FORBIDDEN') })
  await airbyte('logout')
  expect((await airbyte('sources', 'get', 'people')).code).toBe(0)
})

it('signs in through the browser with PKCE and refreshes by itself', async () => {
  const address = Promise.withResolvers<string>()
  const signedIn = signIn(server.url, address.resolve)
  const fields = Object.fromEntries(new URL(await address.promise).searchParams)
  const approved = await fetch(`${server.url}/authorize/approve`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(fields),
  })
  const { redirectTo } = (await approved.json()) as { redirectTo: string }
  expect((await fetch(redirectTo.replace(/state=[^&]+/, 'state=forged'))).status).toBe(404)
  expect(await (await fetch(redirectTo)).text()).toContain('Signed in')
  const settings = await signedIn
  expect(settings).toMatchObject({ url: server.url, token: expect.any(String) })
  expect(await refreshed(settings)).toBe(settings)
  const renewed = await refreshed({ ...settings, expiresAt: Date.now() })
  expect(renewed.token).not.toBe(settings.token)
  const { code, out } = await airbyte('workspace', 'get', '--token', String(renewed.token))
  expect(code).toBe(0)
  expect(out).toContain('name')
})
