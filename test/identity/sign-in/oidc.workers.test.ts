import { describe, expect, inject, it, vi } from 'vitest'
import { membershipsOf } from '../../../src/identity/session.ts'
import { Browser, forgedBy, hosted, OIDC, ORIGIN } from './browser.ts'

const AUTHORIZE = /\/auth\?/

describe('signing in at an OpenID provider', () => {
  it('brings a person back to the page that asked', async () => {
    const browser = new Browser()
    const asked = await browser.open('/setup/none.such?x=1')
    expect(asked.url).toBe(`${ORIGIN}/sign-in?return_to=%2Fsetup%2Fnone.such%3Fx%3D1`)
    expect(asked.html).toContain('name="return_to" value="/setup/none.such?x=1"')
    const page = await browser.signIn('oidc', 'ann', '/setup/none.such?x=1')
    expect(page.url).toBe(`${ORIGIN}/setup/none.such?x=1`)
    expect(browser.isSignedIn()).toBe(true)
    expect((await browser.open('/sign-in')).html).toContain('You are signed in as ann')
  })

  it('asks with PKCE, state, nonce and the one redirect URI that is registered', async () => {
    const { url } = await new Browser().submit('/sign-in/oidc', {}, AUTHORIZE)
    const asked = Object.fromEntries(new URL(url).searchParams)
    expect(asked).toMatchObject({
      response_type: 'code',
      client_id: OIDC.OIDC_CLIENT_ID,
      redirect_uri: `${ORIGIN}/sign-in/oidc/callback`,
      scope: 'openid profile email',
      code_challenge_method: 'S256',
    })
    expect(asked.code_challenge).toHaveLength(43)
    expect(asked.state).toHaveLength(43)
    expect(asked.nonce).toHaveLength(43)
    expect(asked.nonce).not.toBe(asked.state)
  })

  it('finds the same person and workspace again from another browser', async () => {
    const workspaces = async () => {
      const browser = new Browser()
      await browser.signIn('oidc', 'again')
      const userId = browser.cookie('__Host-airbyte-session')?.split('.')[0] ?? ''
      return membershipsOf({ userId, name: '' }, hosted())
    }
    const first = await workspaces()
    expect(first).toMatchObject([{ name: "again's workspace", level: 'owner' }])
    expect(await workspaces()).toEqual(first)
  })

  it('makes one workspace for a person who comes with five browsers at once', async () => {
    const browsers = Array.from({ length: 5 }, () => new Browser())
    await Promise.all(browsers.map((browser) => browser.signIn('oidc', 'eager')))
    const userIds = browsers.map((b) => b.cookie('__Host-airbyte-session')?.split('.')[0] ?? '')
    expect(new Set(userIds).size).toBe(1)
    expect(await membershipsOf({ userId: userIds[0] ?? '', name: '' }, hosted())).toHaveLength(1)
  })

  it('works without a client secret where the issuer allows it, and not where it does not', async () => {
    const secretless = { ...OIDC, OIDC_CLIENT_SECRET: '' }
    const refused = new Browser(secretless)
    expect((await refused.signIn('oidc', 'ann')).status).toBe(502)
    const open = new Browser({ ...forgedBy('honest'), OIDC_CLIENT_SECRET: '' })
    await open.signIn('oidc', 'ann')
    expect(open.isSignedIn()).toBe(true)
  })

  it('says so when the person declines, and offers to try again', async () => {
    const browser = new Browser()
    const login = await browser.submit('/sign-in/oidc', { return_to: '/setup/x.y' })
    const page = await browser.open(`${login.url}/abort`)
    expect(page.status).toBe(403)
    expect(page.html).toContain('You are not signed in')
    expect(page.html).toContain('/sign-in?return_to=%2Fsetup%2Fx.y')
    expect(browser.isSignedIn()).toBe(false)
  })

  it('ends with signing out, also for a copy of the cookie', async () => {
    const browser = new Browser()
    await browser.signIn('oidc', 'leaving')
    const copy = browser.copy()
    expect((await copy.open('/sign-in')).html).toContain('signed in as leaving')
    const page = await browser.submit('/sign-out', { return_to: '/setup/x.y' })
    expect(page.url).toBe(`${ORIGIN}/sign-in?return_to=%2Fsetup%2Fx.y`)
    expect(page.html).toContain('Continue with')
    expect((await copy.open('/sign-in')).html).toContain('Continue with')
  })

  it('is one of the ways that are offered, by a page without script', async () => {
    const settings = {
      ...OIDC,
      OIDC_NAME: 'Acme <b>',
      GITHUB_CLIENT_ID: 'x',
      GITHUB_CLIENT_SECRET: 'y',
    }
    const page = await new Browser(settings).open('/sign-in')
    expect(page.html).toContain('Continue with Acme &lt;b&gt;')
    expect(page.html).toContain('Continue with GitHub')
    expect(page.html).not.toContain('<script')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  })
})

describe('an id_token', () => {
  it('is taken when it is right', async () => {
    const browser = new Browser(forgedBy('honest'))
    expect((await browser.signIn('oidc', 'ann')).html).not.toContain('problem')
    expect(browser.isSignedIn()).toBe(true)
  })

  it.each([
    ['expired', 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED'],
    ['not-yet', 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED'],
    ['wrong-audience', 'OAUTH_JWT_CLAIM_COMPARISON_FAILED'],
    ['wrong-issuer', 'OAUTH_JWT_CLAIM_COMPARISON_FAILED'],
    ['wrong-nonce', 'OAUTH_JWT_CLAIM_COMPARISON_FAILED'],
    ['no-nonce', 'OAUTH_INVALID_RESPONSE'],
    ['no-subject', 'OAUTH_INVALID_RESPONSE'],
    ['changed-after-signing', 'OAUTH_INVALID_RESPONSE'],
    ['another-key', 'OAUTH_INVALID_RESPONSE'],
    ['no-signature', 'OAUTH_INVALID_RESPONSE'],
    ['alg-none', 'unsupported operation'],
    ['hmac-with-public-key', 'unsupported operation'],
  ])('is refused when it is forged, for that reason: %s', async (forgery, detail) => {
    const log = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const browser = new Browser(forgedBy(forgery))
    const page = await browser.signIn('oidc', 'ann')
    expect(page.status).toBe(502)
    expect(page.html).toContain('could not be confirmed')
    expect(browser.isSignedIn()).toBe(false)
    const reason = 'unconfirmed'
    expect(log).toHaveBeenCalledWith('sign-in', { provider: 'oidc', reason, detail })
  })
})

describe('the userinfo endpoint', () => {
  it.each(['userinfo-of-another', 'userinfo-broken'])(
    'changes nothing about who signed in: %s',
    async (forgery) => {
      const log = vi.spyOn(console, 'warn').mockImplementation(() => {})
      const browser = new Browser(forgedBy(forgery))
      await browser.signIn('oidc', 'ann')
      expect((await browser.open('/sign-in')).html).toContain('signed in as a@b.example')
      expect(log.mock.calls[0]?.[1]).toMatchObject({ reason: 'no userinfo' })
      const strict = new Browser({ ...forgedBy(forgery), ALLOWED_EMAILS: 'boss@example.com' })
      expect((await strict.signIn('oidc', 'ann')).status).toBe(403)
      expect(strict.isSignedIn()).toBe(false)
    },
  )
})

describe('a provider that is not there', () => {
  it.each([
    ['does not answer', { OIDC_ISSUER: 'http://127.0.0.1:9' }],
    ['answers with something else', { OIDC_ISSUER: `${inject('signIn').forging}/broken` }],
    [
      'names another issuer',
      { OIDC_ISSUER: inject('signIn').oidc.replace('127.0.0.1', 'localhost') },
    ],
  ])('leaves a page that says so: it %s', async (_, settings) => {
    const page = await new Browser({ ...OIDC, ...settings }).submit('/sign-in/oidc', {})
    expect(page.status).toBe(502)
    expect(page.html).toContain('Sign in again')
  })

  it('is waited for ten seconds', async () => {
    const silent = { ...OIDC, OIDC_ISSUER: `${inject('httpUrl')}/silent` }
    const started = Date.now()
    expect((await new Browser(silent).submit('/sign-in/oidc', {})).status).toBe(502)
    expect(Date.now() - started).toBeLessThan(15_000)
  })

  it('is not asked without https, unless on this machine', async () => {
    const log = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const browser = new Browser({ ...OIDC, OIDC_ISSUER: 'http://issuer.example' })
    expect((await browser.submit('/sign-in/oidc', {})).status).toBe(502)
    expect(log.mock.calls[0]?.[1]).toMatchObject({ detail: 'OAUTH_HTTP_REQUEST_FORBIDDEN' })
  })

  it('leaves a page that says so when it goes away in between', async () => {
    const browser = new Browser()
    const answer = await browser.answerOf('oidc', 'ann')
    const later = browser.copy({ ...OIDC, OIDC_ISSUER: 'http://127.0.0.1:9' })
    expect((await later.open(answer)).status).toBe(502)
    expect(later.isSignedIn()).toBe(false)
  })
})

describe('settings', () => {
  it.each([
    ['OIDC_CLIENT_ID', { OIDC_ISSUER: 'https://issuer.example' }],
    ['OIDC_ISSUER', { OIDC_CLIENT_ID: 'x' }],
    ['OIDC_ISSUER', { OIDC_CLIENT_ID: 'x', OIDC_ISSUER: 'not an address' }],
    ['GITHUB_CLIENT_SECRET', { GITHUB_CLIENT_ID: 'x' }],
    ['GITHUB_CLIENT_ID', { GITHUB_CLIENT_SECRET: 'x' }],
    ['GITHUB_URL', { GITHUB_CLIENT_ID: 'x', GITHUB_CLIENT_SECRET: 'x', GITHUB_URL: 'ghe' }],
  ])('that are incomplete are named: %s', async (missing, settings) => {
    const page = await new Browser(settings).open('/sign-in')
    expect(page.status).toBe(503)
    expect(page.html).toContain(`<code>${missing}</code>: without it`)
  })

  it('may end with a line break, as secrets from a pipe do', async () => {
    const piped = Object.entries(OIDC).map(([name, value]) => [name, `${value}\n`])
    const browser = new Browser(Object.fromEntries(piped))
    await browser.signIn('oidc', 'ann')
    expect(browser.isSignedIn()).toBe(true)
  })

  it.each([
    ['ann@example.com', 'ann', true],
    ['ANN@Example.com, @other.example', 'ann', true],
    ['@example.com', 'ann', true],
    ['@example.com', 'unverified-ann', false],
    ['bob@example.com @le.com @xample.com example.com', 'ann', false],
  ])('ALLOWED_EMAILS=%s decides over %s: %s', async (list, login, allowed) => {
    const browser = new Browser({ ...OIDC, ALLOWED_EMAILS: list })
    const page = await browser.signIn('oidc', login)
    expect(browser.isSignedIn()).toBe(allowed)
    if (!allowed) expect(page.status).toBe(403)
  })
})
