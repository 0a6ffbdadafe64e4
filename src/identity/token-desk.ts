import { openWith, sealWith, seconds, sha256 } from './crypto.ts'
import type { ExpiringStore } from './expiring-store.ts'

/** A refresh repeated within this time gets its first answer again, whatever happened since. */
const ALWAYS_REPEAT_SECONDS = 60
/** Later it gets it only while that answer's refresh token is the newest, up to this age. */
const REPEAT_SECONDS = 12 * 3600

/** A presented code, refresh token or access token: `userId:grantId:secret`. */
export interface GrantReference {
  userId: string
  grantId: string
}

/** The grant that a token request is about, if it names one. */
export function grantOf(form: URLSearchParams): GrantReference | null {
  const presented = form.get('code') ?? form.get('refresh_token') ?? form.get('token') ?? ''
  const [userId, grantId, secret, ...more] = presented.split(':')
  const wellFormed = /^[\w-]{1,128}$/
  if (!userId || !grantId || !secret || more.length > 0) return null
  return wellFormed.test(userId) && wellFormed.test(grantId) ? { userId, grantId } : null
}

interface Reply {
  sealed: string
  /** The grant's `refreshTokenId` after this reply. */
  current: string
  at: number
}

/**
 * Answers token requests of one user's grants, each grant's one after the other. A client that
 * refreshes twice with one token (two processes, a lost answer) gets the same new tokens twice:
 * with plain rotation the second refresh would make the first one's refresh token worthless and
 * lock one of them out. Replies are sealed with the presented token, so storage alone reveals none.
 */
export class TokenDesk {
  private readonly store: ExpiringStore
  private readonly arm: (expiration: number) => Promise<void>
  private readonly turns = new Map<string, Promise<unknown>>()

  constructor(store: ExpiringStore, arm: (expiration: number) => Promise<void>) {
    this.store = store
    this.arm = arm
  }

  /** `serve` runs the library's token endpoint on a copy of the request. */
  async answer(
    request: Request,
    serve: (request: Request) => Promise<Response>,
  ): Promise<Response> {
    const body = new TextDecoder().decode(await request.arrayBuffer())
    const form = new URLSearchParams(body)
    const grant = grantOf(form)
    const run = () => serve(new Request(request, { body }))
    if (!grant) return run()
    return this.inTurn(grant.grantId, async () => {
      const refreshToken = form.get('refresh_token')
      if (form.get('grant_type') !== 'refresh_token' || !refreshToken) {
        if (form.has('token')) this.store.deletePrefix(`reply:${grant.grantId}:`)
        return run()
      }
      // The whole request is the key: another client, secret, scope or resource is another question.
      const question = `${request.headers.get('authorization') ?? ''}\n${body}`
      const key = `reply:${grant.grantId}:${await sha256(question)}`
      return (
        (await this.repeat(key, grant, refreshToken)) ?? this.first(key, grant, refreshToken, run)
      )
    })
  }

  private async repeat(key: string, grant: GrantReference, token: string) {
    const stored = this.store.get(key)
    const current = this.currentRefresh(grant)
    if (!stored || !current) return null
    const reply = JSON.parse(stored.value) as Reply
    const age = seconds() - reply.at
    if (age > ALWAYS_REPEAT_SECONDS && reply.current !== current) return null
    const answer = JSON.parse(await openWith(token, reply.sealed)) as { expires_in: number }
    return tokenResponse({ ...answer, expires_in: answer.expires_in - age })
  }

  private async first(
    key: string,
    grant: GrantReference,
    token: string,
    run: () => Promise<Response>,
  ): Promise<Response> {
    const response = await run()
    const current = this.currentRefresh(grant)
    if (!response.ok || !current) return response
    const sealed = await sealWith(token, await response.clone().text())
    const reply: Reply = { sealed, current, at: seconds() }
    const expiration = reply.at + REPEAT_SECONDS
    this.store.put(key, { value: JSON.stringify(reply), expiration })
    await this.arm(expiration)
    return response
  }

  /** Identifies the grant's newest refresh token; null once the grant is revoked or expired. */
  private currentRefresh({ userId, grantId }: GrantReference): string | null {
    const stored = this.store.get(`grant:${userId}:${grantId}`)
    return stored
      ? ((JSON.parse(stored.value) as { refreshTokenId?: string }).refreshTokenId ?? null)
      : null
  }

  private async inTurn<T>(grantId: string, work: () => Promise<T>): Promise<T> {
    const before = this.turns.get(grantId) ?? Promise.resolve()
    const mine = before.catch(() => {}).then(work)
    this.turns.set(grantId, mine)
    try {
      return await mine
    } finally {
      if (this.turns.get(grantId) === mine) this.turns.delete(grantId)
    }
  }
}

function tokenResponse(answer: object): Response {
  // CORS as the library answers it: tokens are asked for by browser clients of any origin.
  return Response.json(answer, {
    headers: {
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'access-control-allow-origin': '*',
    },
  })
}
