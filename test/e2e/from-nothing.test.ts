/**
 * A person with a browser and an MCP client goes from nothing to a scheduled pipeline with a secret: a
 * password, and an account at a vendor. Neither the client nor what it was told ever holds one.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type RunningServer, startServer } from '../../scripts/lib/local-server.ts'
import { connectMcp } from '../../scripts/lib/mcp-client.ts'
import { freePort } from '../../scripts/lib/ports.ts'
import { violations } from '../support/axe.ts'
import { startChromium } from '../support/chromium.ts'
import { CLIENT } from '../support/sign-in/client.ts'
import { startGitLab } from '../support/sign-in/gitlab.ts'

const SCREENSHOTS = join(import.meta.dirname, '../../dist/screenshots')
const PASSWORD = 'canary-from-nothing-77d0'
/** The access token is over before the first sync: it has to be refreshed with the server's client. */
const TOKEN_SECONDS = 1
const home = mkdtempSync(join(tmpdir(), 'airbyte-nothing-'))
let server: RunningServer
let vendor: Awaited<ReturnType<typeof startGitLab>>
let browser: Browser
let db: pg.Client

beforeAll(async () => {
  const port = await freePort()
  vendor = await startGitLab(`http://localhost:${port}`, TOKEN_SECONDS)
  db = new pg.Client(inject('pgUrl'))
  await db.connect()
  await db.query(`drop schema if exists from_nothing cascade; drop role if exists from_nothing;
    create role from_nothing login password '${PASSWORD}';
    create schema from_nothing authorization from_nothing;
    create table from_nothing.orders as select n as id, 'order ' || n as note from generate_series(1, 7) n;
    alter table from_nothing.orders owner to from_nothing, add primary key (id)`)
  ;[server, browser] = await Promise.all([
    startServer({
      ...{ stateDirectory: join(home, 'state'), port },
      vars: {
        OAUTH_GITLAB_CLIENT_ID: CLIENT.id,
        OAUTH_GITLAB_CLIENT_SECRET: CLIENT.secret,
        OAUTH_GITLAB_HOST: new URL(vendor.url).host,
      },
    }),
    startChromium(),
  ])
}, 240_000)

afterAll(async () => {
  await browser?.close()
  await server?.stop()
  vendor?.stop()
  await db?.end()
  rmSync(home, { recursive: true, force: true })
})

/** A chat: what goes to the model and comes from it is all in `said`. */
async function chat(name: string) {
  const client = await connectMcp(server.url, name)
  const said: string[] = []
  // biome-ignore lint/suspicious/noExplicitAny: each step knows the shape it asked for
  const call = async (tool: string, args: object): Promise<any> => {
    said.push(JSON.stringify(args))
    const result = await client.callTool({ name: tool, arguments: { ...args } })
    said.push(JSON.stringify(result))
    expect(result.isError, `${tool}: ${JSON.stringify(result.content)}`).toBeFalsy()
    return result.structuredContent
  }
  return { call, said, close: () => client.close() }
}
type Call = Awaited<ReturnType<typeof chat>>['call']

interface Pipeline {
  source: { type: string; config: object }
  stream: string
  rows: number
  /** What the person does on the credentials page. */
  enter(page: Page): Promise<void>
  /** Whatever must never be said. */
  secrets(): string[]
}

const postgres = (): Pipeline['source'] => {
  const { hostname: host, port, pathname } = new URL(inject('pgUrl'))
  const place = { host, port: Number(port), database: pathname.slice(1), schemas: ['from_nothing'] }
  const config = { ...place, username: 'from_nothing', ssl_mode: { mode: 'disable' } }
  return { type: 'postgres', config }
}

const PIPELINES: Record<string, () => Pipeline> = {
  'a password': () => ({
    source: postgres(),
    ...{ stream: 'orders', rows: 7 },
    async enter(page) {
      await page.getByLabel('Password').fill(PASSWORD)
      await page.getByRole('button', { name: 'Save and test' }).click()
    },
    secrets: () => [PASSWORD],
  }),
  'an account at a vendor': () => ({
    source: {
      type: 'gitlab',
      config: {
        ...{ api_url: vendor.url, projects_list: ['acme/shop'] },
        credentials: { auth_type: 'oauth2.0' },
      },
    },
    ...{ stream: 'projects', rows: 1 },
    async enter(page) {
      const { host } = new URL(vendor.url)
      await page.getByRole('button', { name: `Continue at ${host}` }).click()
      await page.locator('input[name=login]').fill('ann')
      await page.locator('input[name=password]').fill('the password at the vendor')
      await page.getByRole('button', { name: 'Sign-in' }).click()
      await page.getByRole('button', { name: 'Continue' }).click()
    },
    secrets() {
      // A pair at least; a machine that takes its time sees the first token end, and more follow.
      expect(vendor.issued.length).toBeGreaterThanOrEqual(2)
      return [CLIENT.secret, 'the password at the vendor', ...vendor.issued]
    },
  }),
}

describe.each(Object.entries(PIPELINES))('from nothing, with %s', (name, pipelineOf) => {
  it('to a scheduled pipeline whose secret was in no chat', async () => {
    const { source, stream, rows, enter, secrets } = pipelineOf()
    const { call, said, close } = await chat(name)
    const created = await call('create_source', { name: stream, ...source })
    // A database may need no password, so that alone does not make a source wait.
    expect(created.setupUrl).toContain(created.setupId)

    const waiting = call('get_setup', { setupId: created.setupId, waitSeconds: 40 })
    const shown = await visit(created.setupUrl, stream, enter)
    expect(await waiting).toMatchObject({ status: 'completed' })
    expect(await call('check_resource', { id: stream })).toMatchObject({ ok: true })

    await schedule(call, stream)
    const sync = await call('run_sync', { connection: `${stream}-link`, waitSeconds: 40 })
    expect(sync).toMatchObject({ status: 'succeeded', rows })
    expect(await call('get_resource', { id: `${stream}-link` })).toMatchObject({
      ...{ status: 'active', nextRunAt: expect.any(String) },
    })
    await close()

    const everything = [...said, shown, server.logs()].join('\n')
    for (const secret of secrets()) expect(everything).not.toContain(secret)
  })
})

async function visit(url: string, name: string, enter: Pipeline['enter']): Promise<string> {
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } })
  await page.goto(url)
  mkdirSync(SCREENSHOTS, { recursive: true })
  await page.screenshot({ path: join(SCREENSHOTS, `credentials-of-${name}.png`), fullPage: true })
  expect(await violations(page)).toEqual([])
  await enter(page)
  await page.getByText('The test succeeded').waitFor({ timeout: 30_000 })
  await page.screenshot({ path: join(SCREENSHOTS, `credentials-of-${name}-done.png`) })
  expect(await violations(page)).toEqual([])
  const shown = await page.content()
  await page.close()
  return shown
}

/** Plans it, and makes what was planned. */
async function schedule(call: Call, stream: string): Promise<void> {
  await call('create_destination', { name: `${stream}-lake`, type: 'r2', config: {} })
  const link = {
    ...{ name: `${stream}-link`, source: stream, destination: `${stream}-lake` },
    streams: [{ name: stream }],
    schedule: { cron: '0 */6 * * *', timezone: 'Europe/Berlin' },
  }
  const { planHash } = await call('plan_connection', link)
  await call('create_connection', { ...link, planHash })
}
