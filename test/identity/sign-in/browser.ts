import { env } from 'cloudflare:workers'
import { inject } from 'vitest'
import { handleRequest } from '../../../src/http/router.ts'
import { CLIENT, ORIGIN } from '../../support/sign-in/client.ts'

export { ORIGIN }

const servers = inject('signIn')
const ctx = { waitUntil() {}, passThroughOnException() {}, props: {} } as never

/** The Worker as it runs for many people, with these settings. */
export const hosted = (settings: Record<string, string> = {}) =>
  ({ ...env, LOCAL_MODE: 'off', ...settings }) as unknown as Env

export const OIDC = {
  OIDC_ISSUER: servers.oidc,
  OIDC_CLIENT_ID: CLIENT.id,
  OIDC_CLIENT_SECRET: CLIENT.secret,
}

export const GITHUB = {
  GITHUB_CLIENT_ID: CLIENT.id,
  GITHUB_CLIENT_SECRET: CLIENT.secret,
  GITHUB_URL: servers.github,
}

export const forgedBy = (forgery: string) => ({
  ...OIDC,
  OIDC_ISSUER: `${servers.forging}/${forgery}`,
})

export interface Page {
  url: string
  status: number
  html: string
  headers: Headers
  /** `Set-Cookie` values of ours on the way to this page. */
  cookiesSet: string[]
}

/** A browser as far as signing in needs one: cookies by origin, redirects, forms. */
export class Browser {
  private readonly settings: Record<string, string>
  private jars = new Map<string, Map<string, string>>()
  private cookiesSet: string[] = []

  constructor(settings: Record<string, string> = OIDC) {
    this.settings = settings
  }

  /** Opens an address and follows redirects until a page comes, or one leads where `until` says. */
  async open(address: string, init: RequestInit = {}, until = /^never/): Promise<Page> {
    let url = new URL(address, ORIGIN)
    this.cookiesSet = []
    let response = await this.send(url, init)
    for (let hops = 0; response.headers.has('location') && hops < 20; hops++) {
      url = new URL(response.headers.get('location') ?? '', url)
      await response.body?.cancel()
      if (until.test(url.href)) {
        return this.page(url, response, '')
      }
      response = await this.send(url)
    }
    return this.page(url, response, await response.text())
  }

  /** Sends a form of ours or of a provider, as a person would. */
  submit(address: string, fields: Record<string, string>, until?: RegExp): Promise<Page> {
    const body = new URLSearchParams(fields).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    return this.open(address, { method: 'POST', headers, body }, until)
  }

  /** From our button to the provider's answer, which is not delivered yet: the callback's address. */
  async answerOf(provider: 'oidc' | 'github', login: string, returnTo = '/'): Promise<string> {
    const callback = /\/sign-in\/\w+\/callback/
    const start = `${ORIGIN}/sign-in/${provider}`
    if (provider === 'github') {
      const asked = await this.submit(start, { return_to: returnTo }, /\/login\/oauth\/authorize/)
      return (await this.open(`${asked.url}&login=${login}`, {}, callback)).url
    }
    const page = await this.submit(start, { return_to: returnTo }, callback)
    if (callback.test(page.url)) return page.url
    const consent = await this.submit(page.url, { prompt: 'login', login, password: 'x' })
    return (await this.submit(consent.url, { prompt: 'consent' }, callback)).url
  }

  async signIn(provider: 'oidc' | 'github', login: string, returnTo = '/'): Promise<Page> {
    return this.open(await this.answerOf(provider, login, returnTo))
  }

  cookie(name: string, origin = ORIGIN): string | undefined {
    return this.jars.get(origin)?.get(name)
  }

  /** Has a cookie of ours, as a `Set-Cookie` value gave it. */
  keep(setCookie: string): this {
    this.store(ORIGIN, setCookie)
    return this
  }

  isSignedIn(): boolean {
    return Boolean(this.cookie('__Host-airbyte-session'))
  }

  /** Another browser with the cookies of this one. */
  copy(settings?: Record<string, string>): Browser {
    const copy = new Browser(settings ?? this.settings)
    copy.jars = new Map(Array.from(this.jars, ([origin, jar]) => [origin, new Map(jar)]))
    return copy
  }

  private page({ href: url }: URL, { status, headers }: Response, html: string): Page {
    return { url, status, html, headers, cookiesSet: this.cookiesSet }
  }

  private async send(url: URL, init: RequestInit = {}): Promise<Response> {
    const jar = this.jarOf(url.origin)
    const headers = new Headers(init.headers)
    headers.set('cookie', Array.from(jar, ([name, value]) => `${name}=${value}`).join('; '))
    const request = new Request(url, { ...init, headers, redirect: 'manual' })
    const response =
      url.origin === ORIGIN
        ? await handleRequest(request, hosted(this.settings), ctx)
        : await fetch(request)
    if (url.origin === ORIGIN) this.cookiesSet.push(...response.headers.getSetCookie())
    for (const cookie of response.headers.getSetCookie()) this.store(url.origin, cookie)
    return response
  }

  private store(origin: string, cookie: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
    if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(cookie)) {
      this.jarOf(origin).delete(name)
    } else this.jarOf(origin).set(name, value)
  }

  private jarOf(origin: string): Map<string, string> {
    const jar = this.jars.get(origin) ?? new Map<string, string>()
    this.jars.set(origin, jar)
    return jar
  }
}
