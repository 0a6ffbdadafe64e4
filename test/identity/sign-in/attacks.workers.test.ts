import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import { handleRequest } from '../../../src/http/router.ts'
import { sha256 } from '../../../src/identity/crypto.ts'
import { shardName } from '../../../src/identity/oauth-kv.ts'
import { Browser, GITHUB, hosted, OIDC, ORIGIN } from './browser.ts'

const changed = (address: string, parameters: Record<string, string | null>) => {
  const url = new URL(address)
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null) url.searchParams.delete(name)
    else url.searchParams.set(name, value)
  }
  return url.href
}

async function refuses(browser: Browser, address: string, status: number) {
  const page = await browser.open(address)
  expect(page.status).toBe(status)
  expect(page.html).toContain('Sign in again')
  expect(browser.isSignedIn()).toBe(false)
}

/** The stored attempt that an answer belongs to. */
async function storedAttempt(answer: string, statement: string): Promise<string> {
  const state = new URL(answer).searchParams.get('state') ?? ''
  const key = `signin:${await sha256(state)}`
  const shard = env.OAUTH_STORE.getByName(shardName(key))
  return runInDurableObject(shard, (_, { storage }) =>
    JSON.stringify(storage.sql.exec(statement, key).toArray()),
  )
}

describe('an answer of the provider', () => {
  it('counts once', async () => {
    const browser = new Browser()
    const answer = await browser.answerOf('oidc', 'ann')
    const copy = browser.copy()
    await browser.open(answer)
    expect(browser.isSignedIn()).toBe(true)
    await refuses(copy, answer, 400)
  })

  it('counts once when it is delivered ten times at the same moment', async () => {
    const browser = new Browser()
    const answer = await browser.answerOf('oidc', 'ann')
    const copies = Array.from({ length: 10 }, () => browser.copy())
    await Promise.all(copies.map((copy) => copy.open(answer)))
    expect(copies.filter((copy) => copy.isSignedIn())).toHaveLength(1)
  })

  it('counts only in the browser that asked: an attacker cannot sign a victim in as himself', async () => {
    const attackers = await new Browser().answerOf('oidc', 'mallory')
    await refuses(new Browser(), attackers, 400)
  })

  it("does not count with the cookie of another browser's attempt", async () => {
    const attackers = await new Browser().answerOf('oidc', 'mallory')
    const victim = new Browser()
    await victim.answerOf('oidc', 'ann')
    await refuses(victim, attackers, 400)
  })

  it.each([
    ['another', 'x'.repeat(43)],
    ['an empty', ''],
    ['no', null],
  ])('does not count with %s state, and the attempt stays good', async (_, state) => {
    const browser = new Browser()
    const answer = await browser.answerOf('oidc', 'ann')
    await refuses(browser, changed(answer, { state }), 400)
    await browser.open(answer)
    expect(browser.isSignedIn()).toBe(true)
  })

  it("does not count with another attempt's code, by PKCE", async () => {
    const [victim, attacker] = [new Browser(), new Browser()]
    const stolen = new URL(await victim.answerOf('oidc', 'ann')).searchParams.get('code')
    const own = await attacker.answerOf('oidc', 'mallory')
    await refuses(attacker, changed(own, { code: stolen }), 502)
  })

  it.each([
    ['of another issuer', 'https://evil.example'],
    ['without its issuer', null],
  ])('does not count %s (mix-up)', async (_, iss) => {
    const browser = new Browser()
    const answer = await browser.answerOf('oidc', 'ann')
    await refuses(browser, changed(answer, { iss }), 502)
  })

  it("does not count at another provider's callback (mix-up)", async () => {
    const browser = new Browser({ ...OIDC, ...GITHUB })
    const answer = await browser.answerOf('oidc', 'ann')
    await refuses(browser, answer.replace('/oidc/', '/github/'), 400)
  })

  it('does not count after ten minutes', async () => {
    const browser = new Browser()
    const answer = await browser.answerOf('oidc', 'ann')
    await storedAttempt(answer, 'update entries set expires = 1 where key = ?')
    await refuses(browser, answer, 400)
  })

  it.each(['', 'state=1&state=2', 'code=a&state=b', 'error=%3Cscript%3E&state=x'])(
    'that makes no sense is refused: ?%s',
    async (query) => {
      await refuses(new Browser(), `/sign-in/oidc/callback?${query}`, 400)
    },
  )

  it('repeats no text of the provider on our page or in the log', async () => {
    const log = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const browser = new Browser()
    const answer = await browser.answerOf('oidc', 'ann')
    const error_description = 'Call +1 555 to unlock your account'
    const forged = changed(answer, { code: null, error: 'odd\nline', error_description })
    const page = await browser.open(forged)
    expect(page.status).toBe(502)
    expect(page.html).not.toMatch(/555|odd/)
    expect(JSON.stringify(log.mock.calls)).not.toMatch(/555|odd/)
  })
})

describe('what is kept of an attempt', () => {
  it('reveals neither state, nonce nor verifier', async () => {
    const browser = new Browser()
    const answer = await browser.answerOf('oidc', 'ann', '/setup/secret.path')
    const dump = await storedAttempt(answer, 'select * from entries where key = ?')
    expect(dump).toContain('signin:')
    expect(dump).not.toContain(new URL(answer).searchParams.get('state'))
    expect(dump).not.toMatch(/nonce|verifier|secret\.path/)
  })

  it('is in the browser only a cookie that no script and no other host can touch', async () => {
    const page = await new Browser().submit('/sign-in/oidc', {}, /\/auth\?/)
    expect(page.cookiesSet[0]).toMatch(
      /^__Host-airbyte-sign-in=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=600$/,
    )
  })

  it('ends with it, and the session is a new one each time', async () => {
    const browser = new Browser()
    await browser.signIn('oidc', 'ann')
    const first = browser.cookie('__Host-airbyte-session')
    expect(browser.cookie('__Host-airbyte-sign-in')).toBeUndefined()
    await browser.signIn('oidc', 'ann')
    expect(browser.cookie('__Host-airbyte-session')).not.toBe(first)
  })
})

describe('the way back', () => {
  it.each([
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example/',
    '/\t/evil.example/',
    '/.//evil.example/',
    '/x/..//evil.example/',
    'javascript:alert(1)',
    '@evil.example/',
    'http://localhost:8788/',
    '/sign-out',
  ])('never leads away: %j', async (returnTo) => {
    const browser = new Browser()
    const page = await browser.signIn('oidc', 'ann', returnTo)
    expect(page.url).toMatch(/^http:\/\/localhost:8787\/w\/[0-9a-f-]{36}$/)
    const signedIn = await browser.open(`/sign-in?${new URLSearchParams({ return_to: returnTo })}`)
    expect(new URL(signedIn.url).origin).toBe(ORIGIN)
    const signedOut = await browser.submit('/sign-out', { return_to: returnTo })
    expect(signedOut.url).toBe(`${ORIGIN}/sign-in`)
  })

  it('is text on the page, not markup', async () => {
    const returnTo = '/"><script>alert(1)</script>'
    const page = await new Browser().open(
      `/sign-in?${new URLSearchParams({ return_to: returnTo })}`,
    )
    expect(page.html).not.toContain('<script')
  })
})

describe('a page of another site', () => {
  const foreign = (path: string, origin: string) =>
    new Browser().open(path, { method: 'POST', headers: { origin }, body: '' })

  it.each(['https://evil.example', 'null', 'http://localhost:8788'])(
    'at %s can neither begin a sign-in nor sign out',
    async (origin) => {
      expect((await foreign('/sign-in/oidc', origin)).status).toBe(403)
      expect((await foreign('/sign-out', origin)).status).toBe(403)
    },
  )

  it('cannot send us a form without end', async () => {
    const page = await new Browser().submit('/sign-in/oidc', { return_to: '/'.repeat(70_000) })
    expect(page.status).toBe(413)
  })

  it('cannot do either by a link', async () => {
    expect((await new Browser().open('/sign-in/oidc')).status).toBe(404)
    expect((await new Browser().open('/sign-out')).status).toBe(404)
  })

  it('cannot choose the redirect URI by the name it reaches us under', async () => {
    const request = new Request('http://evil.example/sign-in/oidc', { method: 'POST' })
    expect((await handleRequest(request, hosted(OIDC), {} as never)).status).toBe(421)
  })
})

describe('local mode', () => {
  it('has nobody sign in, whatever is configured', async () => {
    const browser = new Browser({ ...OIDC, LOCAL_MODE: 'on' })
    const page = await browser.open('/sign-in?return_to=/health')
    expect(page.url).toBe(`${ORIGIN}/health`)
    const callback = await browser.open('/sign-in/oidc/callback?code=x&state=y')
    expect(callback.url).toBe(`${ORIGIN}/w/local`)
    expect(browser.isSignedIn()).toBe(false)
  })
})
