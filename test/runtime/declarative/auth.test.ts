import { constants, generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/protocol/index.ts'
import { buildAuthenticator } from '../../../src/runtime/declarative/auth/index.ts'
import { Component } from '../../../src/runtime/declarative/component.ts'
import type { Environment } from '../../../src/runtime/declarative/environment.ts'
import { newRun } from '../../../src/runtime/declarative/run.ts'
import { testContext } from '../../conformance/context.ts'

/** An authorization server that gives a new token each time, and a new refresh token when it rotates. */
function environment(config: JsonObject, rotates = false) {
  const bodies: string[] = []
  async function fetch(_url: string | URL, init?: RequestInit) {
    bodies.push(String(init?.body))
    const n = bodies.length
    return Response.json({
      ...{ access_token: `a${n}`, expires_in: 60 },
      ...(rotates ? { refresh_token: `r${n + 1}` } : {}),
    })
  }
  let now = 1_000_000
  const ctx = testContext({ http: { fetch }, now: () => now })
  const env: Environment = { config, ctx, stream: 's', run: newRun(ctx, {}) }
  return { env, bodies, wait: (ms: number) => (now += ms) }
}

const OAUTH = {
  ...{ type: 'OAuthAuthenticator', token_refresh_endpoint: 'https://auth.test/token' },
  ...{ client_id: "{{ config['id'] }}", client_secret: 's' },
  refresh_token: "{{ config['credentials']['refresh_token'] }}",
}
const oauth = (env: Environment, more: JsonObject = {}, path = 'a') =>
  buildAuthenticator(new Component({ ...OAUTH, ...more }, path), env)
const bearer = async (of: ReturnType<typeof oauth>) =>
  ((await of.options()).header as Map<string, unknown>).get('Authorization')

describe('OAuth', () => {
  it('shares a token between streams with the same credentials, and no others', async () => {
    const { env, bodies } = environment({ id: 'me', credentials: { refresh_token: 'r1' } })
    const stream = (name: string) => ({ $parameters: { name }, name })
    expect(await bearer(oauth(env, stream('x'), 'streams[0]'))).toBe('Bearer a1')
    expect(await bearer(oauth(env, stream('y'), 'streams[1]'))).toBe('Bearer a1')
    expect(await bearer(oauth(env, { client_id: 'other' }))).toBe('Bearer a2')
    expect(bodies).toHaveLength(2)
  })

  it('refreshes when the token has expired, and when it is told to', async () => {
    const { env, wait } = environment({ id: 'me', credentials: { refresh_token: 'r1' } })
    const authenticator = oauth(env)
    expect(await bearer(authenticator)).toBe('Bearer a1')
    wait(61_000)
    expect(await bearer(authenticator)).toBe('Bearer a2')
    await authenticator.refresh?.()
    expect(await bearer(authenticator)).toBe('Bearer a3')
  })

  it('keeps a single-use refresh token in the config, and reports each change', async () => {
    const config: JsonObject = { id: 'me', credentials: { refresh_token: 'r1' } }
    const { env, bodies, wait } = environment(config, true)
    const changes: JsonObject[] = []
    env.run.onConfig = (changed) => changes.push(changed)
    const authenticator = oauth(env, { refresh_token_updater: {} })
    await bearer(authenticator)
    wait(61_000)
    expect(await bearer(authenticator)).toBe('Bearer a2')
    expect(bodies.map((body) => new URLSearchParams(body).get('refresh_token'))).toEqual([
      'r1',
      'r2',
    ])
    expect(changes.map(({ credentials }) => (credentials as JsonObject).refresh_token)).toEqual([
      ...['r2', 'r3'],
    ])
  })
})

describe('a signed token', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING }
  const raw = { dsaEncoding: 'ieee-p1363' as const }
  const curve = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })

  async function tokenOf(algorithm: string, privateKey: KeyObject, passphrase?: string) {
    const options = { type: 'pkcs8', format: 'pem' } as const
    const key = passphrase
      ? privateKey.export({ ...options, cipher: 'aes-256-cbc', passphrase })
      : privateKey.export(options)
    const { env } = environment({ key: String(key), passphrase: passphrase ?? '' })
    const jwt = {
      ...{ type: 'JwtAuthenticator', algorithm, secret_key: "{{ config['key'] }}" },
      passphrase: "{{ config['passphrase'] }}",
    }
    const token = String(await bearer(buildAuthenticator(new Component(jwt, 'a'), env)))
    const [head, body, signature = ''] = token.split('.')
    const signed = Buffer.from(`${head}.${body}`)
    return { signed, signature: Buffer.from(signature, 'base64url') }
  }

  it.each([
    ['RS256', 'sha256', rsa, {}],
    ['RS384', 'sha384', rsa, {}],
    ['RS512', 'sha512', rsa, {}],
    ['PS256', 'sha256', rsa, pss],
    ['PS384', 'sha384', rsa, pss],
    ['PS512', 'sha512', rsa, pss],
    ['ES256', 'sha256', curve('P-256'), raw],
    ['ES256K', 'sha256', curve('secp256k1'), raw],
    ['ES384', 'sha384', curve('P-384'), raw],
    ['ES512', 'sha512', curve('P-521'), raw],
    ['EdDSA', null, generateKeyPairSync('ed25519'), {}],
  ])('of %s verifies with the public key', async (algorithm, hash, pair, scheme) => {
    const { signed, signature } = await tokenOf(algorithm, pair.privateKey)
    expect(verify(hash, signed, { key: pair.publicKey, ...scheme }, signature)).toBe(true)
  })

  it('is signed with a key that a passphrase opens', async () => {
    const { signed, signature } = await tokenOf('RS256', rsa.privateKey, 'open')
    expect(verify('sha256', signed, rsa.publicKey, signature)).toBe(true)
  })

  it('opens a key with its passphrase, and says so when it is another one', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const cipher = { cipher: 'aes-256-cbc', passphrase: 'open sesame' }
    const key = privateKey.export({ type: 'pkcs8', format: 'pem', ...cipher }) as string
    const signer = (passphrase: string) => {
      const { env } = environment({ key, passphrase })
      const jwt = {
        ...{ type: 'JwtAuthenticator', algorithm: 'RS256', secret_key: "{{ config['key'] }}" },
        passphrase: "{{ config['passphrase'] }}",
      }
      return buildAuthenticator(new Component(jwt, 'a'), env)
    }
    const [head, body, signature = ''] = String(await bearer(signer('open sesame'))).split('.')
    const signed = Buffer.from(`${head}.${body}`)
    expect(verify('sha256', signed, publicKey, Buffer.from(signature, 'base64url'))).toBe(true)
    await expect(signer('wrong').options()).rejects.toThrow('a.secret_key: The secret key cannot')
  })

  it('says only that the key is wrong when it is', async () => {
    const { env } = environment({})
    const jwt = { type: 'JwtAuthenticator', algorithm: 'RS256', secret_key: 'not a key' }
    const signing = buildAuthenticator(new Component(jwt, 'a'), env).options()
    await expect(signing).rejects.toThrow('a.secret_key: The secret key cannot sign with RS256.')
  })
})
