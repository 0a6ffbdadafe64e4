import type { Answer } from './shop.ts'

/** What an authorization server of the strict kind does: a refresh token used twice ends the grant. */
export class TokenServer {
  /** When each refresh was answered, epoch milliseconds. */
  readonly refreshes: number[] = []
  revoked = false
  #refreshToken = 'refresh-0'
  readonly #valid = new Map<string, number>()
  readonly #lifeMs: number

  constructor(lifeMs: number) {
    this.#lifeMs = lifeMs
  }

  get refreshToken(): string {
    return this.#refreshToken
  }

  /** `POST /token`, by RFC 6749 with rotation as RFC 9700 asks for it. */
  readonly token: Answer = async (_query, request) => {
    const body = new URLSearchParams(new TextDecoder().decode(await request.arrayBuffer()))
    await new Promise((resolve) => setTimeout(resolve, 30))
    if (body.get('refresh_token') !== this.#refreshToken || this.revoked) {
      this.revoked = true
      return Response.json({ error: 'invalid_grant' }, { status: 400 })
    }
    const number = this.refreshes.push(Date.now())
    this.#refreshToken = `refresh-${number}`
    const access_token = `access-${number}`
    this.#valid.set(access_token, Date.now() + this.#lifeMs)
    const expires_in = this.#lifeMs / 1000
    return Response.json({ access_token, refresh_token: this.#refreshToken, expires_in })
  }

  /** Whether a request may pass; on a busy machine one may be long on its way. */
  accepts({ headers }: Request): boolean {
    const token = headers.get('authorization')?.replace('Bearer ', '') ?? ''
    return !this.revoked && (this.#valid.get(token) ?? 0) + 15_000 > Date.now()
  }
}

export const SINGLE_USE_OAUTH = {
  ...{ type: 'OAuthAuthenticator', token_refresh_endpoint: 'https://shop.test/token' },
  ...{ client_id: 'client', client_secret: "{{ config['secret'] }}" },
  refresh_token: "{{ config['credentials']['refresh_token'] }}",
  refresh_token_updater: {},
}
