/** The pages in a real browser: what one sees on a desk and on a phone, with axe-core looking. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningServer, startServer } from '../../scripts/lib/local-server.ts'
import { signedInPage, signInNotConfiguredPage, signInPage } from '../../src/http/pages/sign-in.tsx'
import { signInProblemPage } from '../../src/http/pages/sign-in-problem.tsx'
import { homePage, workspacesPage } from '../../src/http/pages/workspace/home.tsx'
import { invitationPage } from '../../src/http/pages/workspace/invitation.tsx'
import { Airbyte } from '../../src/sdk/index.ts'
import { violations } from '../support/axe.ts'
import { startChromium } from '../support/chromium.ts'

/** For people to look at; git does not keep them. */
const SCREENSHOTS = join(import.meta.dirname, '../../dist/screenshots')
const home = mkdtempSync(join(tmpdir(), 'airbyte-browser-'))
let server: RunningServer
let browser: Browser
let airbyte: Airbyte
let connection: string
let orders: string
let slow: string

beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true })
  ;[server, browser] = await Promise.all([
    startServer({ stateDirectory: join(home, 'state') }),
    startChromium(),
  ])
  airbyte = new Airbyte({ url: server.url })
  const shop = await airbyte.sources.create({
    ...{ name: 'shop', type: 'sample-data', config: { count: 2000, seed: 1 } },
  })
  const database = await airbyte.sources.create({
    ...{ name: 'orders-db', type: 'postgres' },
    config: { host: 'db.example.com', port: 5432, database: 'shop', username: 'reader' },
  })
  orders = database.id
  const strict = await airbyte.destinations.create({
    ...{ name: 'strict', type: 'dev-null', config: { reject_every: 500 } },
  })
  const throttled = await airbyte.destinations.create({
    ...{ name: 'slow', type: 'dev-null' },
    config: { test_destination: { test_destination_type: 'THROTTLED', millis_per_record: 40 } },
  })
  const broken = await airbyte.sources.create({
    ...{ name: 'broken', type: 'sample-data' },
    config: { count: 5, fail_at: { record: 1, kind: 'config' } },
  })
  const options = { source: shop.id, freshnessSeconds: 3600, schedule: { cron: '0 */6 * * *' } }
  const created = await airbyte.connections.create({
    ...{ name: 'shop-to-warehouse', destination: strict.id, ...options },
  })
  connection = created.id
  const throttledConnection = await airbyte.connections.create({
    ...{ name: 'shop-to-slow', source: shop.id, destination: throttled.id },
    ...{ streams: [{ name: 'products' }], limits: { chunkBytes: 1024 } },
  })
  slow = throttledConnection.id
  const failing = await airbyte.connections.create({
    ...{ name: 'broken-to-slow', source: broken.id, destination: throttled.id, prefix: 'b_' },
    ...{ streams: [{ name: 'users' }] },
  })
  await airbyte.webhooks.create({
    ...{ name: 'chat', url: 'http://127.0.0.1:9/hook', events: ['sync.failed', 'data.late'] },
  })
  await (await airbyte.connections.sync(failing.id)).done().catch(() => {})
  for (let i = 0; i < 2; i++) await (await airbyte.connections.sync(connection)).done()
}, 240_000)

afterAll(async () => {
  await browser?.close()
  await server?.stop()
  rmSync(home, { recursive: true, force: true })
}, 60_000)

interface View {
  page: Page
  /** What the browser complained about: scripts that failed, policies that were broken. */
  complaints: string[]
}

async function open(options: { phone?: boolean } = {}): Promise<View> {
  const page = await browser.newPage({
    viewport: options.phone ? { width: 390, height: 844 } : { width: 1200, height: 900 },
    colorScheme: options.phone ? 'dark' : 'light',
  })
  const complaints: string[] = []
  page.on('pageerror', ({ message }) => complaints.push(message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  return { page, complaints }
}

/** Pixels that one would have to scroll sideways for. */
const beyond = (page: Page) =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')

const consent = async () => {
  const registered = await fetch(`${server.url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ client_name: 'A chat', redirect_uris: ['http://localhost:9999/callback'] },
      token_endpoint_auth_method: 'none',
    }),
  })
  const { client_id } = (await registered.json()) as { client_id: string }
  const query = new URLSearchParams({
    ...{ response_type: 'code', client_id, redirect_uri: 'http://localhost:9999/callback' },
    ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', state: 's' },
    ...{ scope: 'workspace:read', resource: `${server.url}/mcp` },
  })
  return `/authorize?${query}`
}

const setup = async () => {
  const { setupUrl } = (await airbyte.sources.create({
    ...{ name: `hubspot-${crypto.randomUUID()}`, type: 'hubspot' },
    config: { credentials: { credentials_title: 'Private App Credentials' } },
  })) as { setupUrl?: string }
  return new URL(setupUrl ?? 'about:blank').pathname
}

const PAGES: [name: string, path: () => string | Promise<string>][] = [
  ['dashboard', () => '/'],
  ['connection', () => `/w/local/connections/${connection}`],
  ['sync', () => '/w/local/syncs/2'],
  ['failed-sync', () => '/w/local/syncs/1'],
  ['streams', () => `/w/local/connections/${connection}/streams`],
  ['changes', () => `/w/local/connections/${connection}/changes`],
  ['columns', () => `/w/local/connections/${connection}/columns?stream=users`],
  ['resources', () => '/w/local/resources'],
  ['connection-ends', () => '/w/local/connections/new'],
  ['new-connection', () => `/w/local/connections/new?source=shop&destination=slow`],
  ['catalogue', () => '/w/local/resources/source/new'],
  ['new-database', () => '/w/local/resources/source/new/postgres'],
  ['new-api', () => '/w/local/resources/source/new/hubspot'],
  ['source', () => `/w/local/resources/source/${orders}`],
  ['notifications', () => '/w/local/notifications'],
  ['members', () => '/w/local/members'],
  ['keys', () => '/w/local/keys'],
  ['audit', () => '/w/local/audit'],
  ['consent', consent],
  ['credentials', setup],
  ['not-found', () => '/w/local/syncs/99'],
]

/** Pages of a hosted server, of which there is none here: as their functions give them. */
const RENDERED: [name: string, render: () => Response][] = [
  ['sign-in', () => signInPage(PROVIDERS, '/w/acme')],
  ['signed-in', () => signedInPage('Ann Lee')],
  ['sign-in-refused', () => signInProblemPage('not_allowed', 'GitHub', '/')],
  ['sign-in-missing', () => signInNotConfiguredPage(['OIDC_CLIENT_ID'])],
  ['home', () => homePage('https://airbyte.example', true)],
  ['workspaces', () => workspacesPage('Ann Lee', MEMBERSHIPS)],
  ['invitation', () => invitationPage(INVITATION, new Headers())],
]
const PROVIDERS = [
  { id: 'oidc', title: 'Acme' },
  { id: 'github', title: 'GitHub' },
]
const MEMBERSHIPS = [
  { tenantId: 'acme', name: 'Acme', level: 'owner' as const },
  { tenantId: 'lee', name: "Ann's", level: 'editor' as const },
]
const INVITATION = {
  ...{
    id: 'i',
    level: 'operator' as const,
    note: 'Ben',
    invitedBy: 'Ann Lee',
    createdAt: 0,
    expiresAt: 0,
  },
  ...{ workspace: 'Acme', person: 'Ben Bird', token: 't' },
}

describe.each([
  ['on a desk, in light', false],
  ['on a phone, in dark', true],
])('%s', (_where, phone) => {
  let view: View
  beforeAll(async () => {
    view = await open({ phone })
  })
  afterAll(() => view.page.close())

  it.each(PAGES)('the page %s keeps nobody out and fits', async (name, pathOf) => {
    await look(name, server.url + (await pathOf()))
  })

  it.each(RENDERED)('the page %s of a hosted server does too', async (name, render) => {
    const url = `${server.url}/rendered`
    await view.page.route(url, async (route) => {
      const response = render()
      const headers = Object.fromEntries(response.headers)
      await route.fulfill({ status: response.status, headers, body: await response.text() })
    })
    await look(name, url)
    await view.page.unroute(url)
  })

  async function look(name: string, url: string) {
    const { page, complaints } = view
    complaints.length = 0
    await page.goto(url)
    const file = `${name}-${phone ? 'phone' : 'desk'}.png`
    await page.screenshot({ path: join(SCREENSHOTS, file), fullPage: true })
    expect(await violations(page)).toEqual([])
    expect(await beyond(page)).toBe(0)
    expect(complaints.filter((text) => !/ (403|404|503) /.test(text))).toEqual([])
  }
})

describe('by keyboard', () => {
  it('one gets past the navigation, and starts a sync whose page follows it to its receipt', async () => {
    const { page, complaints } = await open()
    await page.goto(`${server.url}/w/local/connections/${slow}`)
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toContain('Skip')
    await page.getByRole('button', { name: 'Sync now' }).focus()
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/syncs\/\d+$/)
    // It ends after four seconds at the soonest; nobody loads the page anew but its script.
    await page.getByRole('heading', { name: 'Receipt' }).waitFor({ timeout: 20_000 })
    expect(await page.getByRole('status').textContent()).toContain('succeeded')
    expect(complaints).toEqual([])
    await page.close()
  })

  it('a form that is sent twice in a hurry counts once', async () => {
    const { page } = await open()
    await page.goto(`${server.url}/w/local/connections/${connection}`)
    await page.getByRole('button', { name: 'Pause' }).dblclick()
    await page.getByRole('button', { name: 'Resume' }).waitFor()
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByRole('button', { name: 'Pause' }).waitFor()
    await page.close()
  })
})

describe('a connection', () => {
  it.each([false, true])('is planned and made by page (phone: %s)', async (phone) => {
    const { page, complaints } = await open({ phone })
    await page.goto(`${server.url}/w/local/connections/new`)
    await page.getByRole('radio', { name: 'shop' }).check()
    await page.getByRole('radio', { name: 'slow' }).check()
    await page.getByRole('button', { name: 'Go on' }).click()
    await page
      .getByRole('textbox', { name: 'Name', exact: true })
      .fill(phone ? 'by-phone' : 'by-desk')
    await page.getByLabel('Prefix of tables').fill(phone ? 'phone_' : 'desk_')
    await page.getByRole('button', { name: 'Choose none' }).click()
    await page.getByRole('checkbox', { name: 'products' }).check()
    await page.getByRole('button', { name: 'Show the plan' }).click()
    await page.getByRole('heading', { name: 'Plan of' }).waitFor()
    await page.locator('summary').first().click()
    const file = `plan-${phone ? 'phone' : 'desk'}.png`
    await page.screenshot({ path: join(SCREENSHOTS, file), fullPage: true })
    expect(await violations(page)).toEqual([])
    expect(await beyond(page)).toBe(0)
    await page.getByRole('button', { name: 'Create the connection' }).click()
    await page.getByRole('heading', { name: phone ? 'by-phone' : 'by-desk' }).waitFor()
    expect(complaints).toEqual([])
    await page.close()
  })
})

describe('streams and columns', () => {
  it('are chosen and saved', async () => {
    const { page } = await open()
    await page.goto(`${server.url}/w/local/connections/${connection}/streams`)
    await page.getByRole('checkbox', { name: 'all_types' }).uncheck()
    await page.getByLabel('Mode').first().selectOption('incremental/append_dedup')
    await page.getByRole('button', { name: 'Save the streams' }).click()
    const streams = page.getByRole('region', { name: 'Streams' })
    await expect.poll(() => streams.textContent()).toContain('usersIncrementalAppend + dedup')
    expect(await streams.textContent()).not.toContain('all_types')
    await page.close()
  })
})
