import { describe, expect, it } from 'vitest'
import { Browser } from './browser.ts'

describe('signing in at an OpenID provider', () => {
  it('brings a person back to the page that asked', async () => {
    const browser = new Browser()
    const page = await browser.signIn('oidc', 'ann', '/setup/none.such?x=1')
    expect(page.url).toBe('http://localhost:8787/setup/none.such?x=1')
    expect(browser.isSignedIn()).toBe(true)
    expect((await browser.open('/sign-in')).html).toContain('You are signed in as ann')
  })
})
