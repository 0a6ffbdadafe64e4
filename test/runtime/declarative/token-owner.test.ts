import { describe, expect, it } from 'vitest'
import { AirbyteError, type JsonObject } from '../../../src/protocol/index.ts'
import type { SourceOwner, TokenRefresh } from '../../../src/runtime/contract.ts'
import { buildAuthenticator } from '../../../src/runtime/declarative/auth/index.ts'
import { Component } from '../../../src/runtime/declarative/component.ts'
import type { Environment } from '../../../src/runtime/declarative/environment.ts'
import { ownerOfRun } from '../../../src/runtime/declarative/owner-of-run.ts'
import { newRun } from '../../../src/runtime/declarative/run.ts'
import { testContext } from '../../conformance/context.ts'

const NOW = 1_000_000

const OAUTH = {
  ...{ type: 'OAuthAuthenticator', token_refresh_endpoint: 'https://auth.test/token' },
  ...{ client_id: 'c', client_secret: 's' },
  refresh_token: "{{ config['credentials']['refresh_token'] }}",
}
const SINGLE_USE = { ...OAUTH, refresh_token_updater: {} }

type Reply = (body: URLSearchParams) => Response | Error

const OTHERS = ownerOfRun(() => NOW)

function open(replies: Reply[], owner?: SourceOwner, fields: JsonObject = SINGLE_USE) {
  const sleeps: number[] = []
  const refreshTokens: (string | null)[] = []
  const ctx = testContext({
    now: () => NOW,
    budget: { deadline: Number.POSITIVE_INFINITY, exhausted: () => false },
    ...(owner && { owner }),
    http: {
      async fetch(_url, init) {
        const body = new URLSearchParams(String(init?.body))
        refreshTokens.push(body.get('refresh_token'))
        const reply = (replies.shift() ?? (() => new Error('no reply is left')))(body)
        if (reply instanceof Error) throw reply
        return reply
      },
    },
  })
  const run = newRun(ctx, {
    sleep: async (ms) => {
      sleeps.push(ms)
    },
  })
  const env: Environment = {
    ...{ config: { credentials: { refresh_token: 'r1' } }, ctx, stream: 's', run },
  }
  const authenticator = buildAuthenticator(new Component(fields, 'auth'), env)
  const token = async () =>
    ((await authenticator.options()).header as Map<string, unknown>).get('Authorization')
  return { env, sleeps, refreshTokens, token, renew: () => authenticator.refresh?.() }
}

const grant = (n: number) => () =>
  Response.json({ access_token: `a${n}`, refresh_token: `r${n + 1}`, expires_in: 60 })
const refused = (error: string) => () => Response.json({ error }, { status: 400 })
const lost = () => new AirbyteError('HOST_UNREACHABLE', 'auth.test cannot be reached.')

/** Keeps what it is given, as the source's object does. */
function keeper(config: JsonObject = { credentials: { refresh_token: 'r7' } }, uncertain = false) {
  const kept: Awaited<ReturnType<TokenRefresh>>[] = []
  const owner: SourceOwner = {
    ...OTHERS,
    async token(_key, refresh, stale) {
      kept.push(await refresh({ config, uncertain, ...(stale && { stale }) }))
      return kept.at(-1) as (typeof kept)[0]
    },
    saveConfig: async () => {},
  }
  return { owner, kept }
}

describe('tokens of a source that has an owner', () => {
  it('are refreshed with the refresh token that the owner has, not the one of the start', async () => {
    const { owner, kept } = keeper()
    const { token, refreshTokens, env } = open([grant(1)], owner)
    expect(await token()).toBe('Bearer a1')
    expect(refreshTokens).toEqual(['r7'])
    expect(kept).toEqual([
      {
        value: 'a1',
        expiresAt: NOW + 60_000,
        changes: [
          { path: ['credentials', 'access_token'], value: 'a1', secret: true },
          { path: ['credentials', 'token_expiry_date'], value: expect.any(String), secret: false },
          { path: ['credentials', 'refresh_token'], value: 'r2', secret: true },
        ],
      },
    ])
    expect(env.config).toMatchObject({ credentials: { refresh_token: 'r2' } })
  })

  it('are asked of the owner once while they are valid, and say which one was refused', async () => {
    const stales: unknown[] = []
    const owner: SourceOwner = {
      ...OTHERS,
      async token(_key, _refresh, stale) {
        stales.push(stale)
        return { value: `a${stales.length}`, expiresAt: NOW + 1000 }
      },
      saveConfig: async () => {},
    }
    const { token, renew } = open([], owner)
    expect([await token(), await token()]).toEqual(['Bearer a1', 'Bearer a1'])
    await renew()
    expect(await token()).toBe('Bearer a2')
    expect(stales).toEqual([undefined, 'a1'])
  })

  it('that another reader has refreshed meanwhile are taken from the config', async () => {
    const date = new Date(NOW + 5000).toISOString()
    const { owner } = keeper({
      credentials: { refresh_token: 'r7', access_token: 'a6', token_expiry_date: date },
    })
    const { token, refreshTokens } = open([], owner)
    expect(await token()).toBe('Bearer a6')
    expect(refreshTokens).toEqual([])
  })
})

describe('a token endpoint', () => {
  it('that is down for a moment is asked again', async () => {
    const down = () => new Response('', { status: 503 })
    const { token, sleeps } = open([down, lost, grant(1)])
    expect(await token()).toBe('Bearer a1')
    expect(sleeps).toHaveLength(2)
  })

  it('that asks to wait for long says so with the time', async () => {
    const busy = () => new Response('', { status: 429, headers: { 'retry-after': '600' } })
    await expect(open([busy]).token()).rejects.toMatchObject({
      ...{ code: 'RATE_LIMITED', retryAt: NOW + 600_000 },
    })
  })

  it('that refuses after an answer was lost has used the single-use token up', async () => {
    await expect(open([lost, refused('invalid_request')]).token()).rejects.toMatchObject({
      ...{ code: 'REAUTHORIZE', kind: 'config', message: expect.stringContaining('was lost') },
    })
    const { owner } = keeper(undefined, true)
    const after = open([refused('invalid_request')], owner)
    await expect(after.token()).rejects.toMatchObject({ code: 'REAUTHORIZE' })
  })

  it('that refuses otherwise only says what is wrong', async () => {
    const wrong = open([lost, refused('invalid_client')], undefined, OAUTH)
    await expect(wrong.token()).rejects.toMatchObject({ code: 'AUTH_FAILED' })
    const revoked = open([refused('invalid_grant')], undefined, OAUTH)
    await expect(revoked.token()).rejects.toMatchObject({ code: 'REAUTHORIZE' })
  })

  it('is not left in the middle of an answer by an abort', async () => {
    let detached: unknown
    const ctx = testContext({
      http: {
        async fetch(_url, init) {
          detached = init?.afterCancel
          return grant(1)()
        },
      },
    })
    const config = { credentials: { refresh_token: 'r1' } }
    const env = { config, ctx, stream: 's', run: newRun(ctx, {}) }
    await buildAuthenticator(new Component(SINGLE_USE, 'auth'), env).options()
    expect(detached).toBe(true)
  })
})

it('refreshes once for all who ask at once, where there is no owner but the run', async () => {
  const { token, refreshTokens } = open([grant(1)])
  expect(new Set(await Promise.all([token(), token(), token()]))).toEqual(new Set(['Bearer a1']))
  expect(refreshTokens).toEqual(['r1'])
})
