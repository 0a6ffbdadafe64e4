import { describe, expect, it, vi } from 'vitest'
import { userIdOf } from '../../../src/identity/people.ts'
import { Browser, GITHUB } from './browser.ts'

/** Against a fake: GitHub itself cannot run here. test/support/sign-in/github-fake.ts says how strict it is. */
describe('signing in at GitHub', () => {
  const personOf = (browser: Browser) => browser.cookie('__Host-airbyte-session')?.split('.')[0]

  it('knows a person by the number of the account, not by its name', async () => {
    const [ann, namesake] = [new Browser(GITHUB), new Browser(GITHUB)]
    await ann.signIn('github', 'ann')
    await namesake.signIn('github', 'ann-again')
    expect(personOf(ann)).toBe(await userIdOf({ issuer: GITHUB.GITHUB_URL, subject: '1001' }))
    expect(personOf(namesake)).toBe(await userIdOf({ issuer: GITHUB.GITHUB_URL, subject: '1002' }))
    expect((await ann.open('/sign-in')).html).toContain('signed in as Ann of GitHub')
    expect((await namesake.open('/sign-in')).html).toContain('signed in as ann<')
  })

  it.each([
    ['ann@example.com', 'ann', true],
    ['old@example.org', 'ann', false],
    ['boss@example.com', 'careless', false],
    ['@example.com', 'ann-again', false],
  ])(
    'counts the primary address if it is verified: %s for %s: %s',
    async (list, login, allowed) => {
      const browser = new Browser({ ...GITHUB, ALLOWED_EMAILS: list })
      await browser.signIn('github', login)
      expect(browser.isSignedIn()).toBe(allowed)
    },
  )

  it('says so when the person declines', async () => {
    const browser = new Browser(GITHUB)
    const page = await browser.signIn('github', 'nobody')
    expect(page.status).toBe(403)
    expect(page.html).toContain('cancelled')
  })

  it('refuses with a wrong client secret, shows it to nobody and tells the operator', async () => {
    const log = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const browser = new Browser({ ...GITHUB, GITHUB_CLIENT_SECRET: 'wrong-secret' })
    const page = await browser.signIn('github', 'ann')
    expect(page.status).toBe(502)
    expect(page.html).not.toContain('wrong-secret')
    expect(log).toHaveBeenCalledWith('sign-in', {
      provider: 'github',
      reason: 'unconfirmed',
      detail: 'incorrect_client_credentials',
    })
  })

  it.each([
    ['a code used before', (url: URL) => url],
    ['the issuer of somebody else', withParameter('iss', 'https://evil.example/login/oauth')],
    ['a code of another sign-in', withParameter('code', 'made-up')],
  ])('refuses %s', async (_, change) => {
    const browser = new Browser(GITHUB)
    const answer = await browser.answerOf('github', 'ann')
    const before = browser.copy()
    if (change(new URL(answer)).href === answer) await before.open(answer)
    const page = await browser.open(change(new URL(answer)).href)
    expect(page.status).toBeGreaterThanOrEqual(400)
    expect(browser.isSignedIn()).toBe(false)
  })
})

function withParameter(name: string, value: string) {
  return (url: URL) => {
    url.searchParams.set(name, value)
    return url
  }
}
