import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/protocol/index.ts'
import {
  MASK,
  maskSecrets,
  mergeSecrets,
  missingSecrets,
  rewriteConfig,
  secretPaths,
  setValues,
  splitSecrets,
  updateSecrets,
} from '../../src/vault/index.ts'

const secret = { type: 'string', airbyte_secret: true }
const SPEC = {
  type: 'object',
  required: ['host', 'credentials'],
  properties: {
    host: { type: 'string' },
    credentials: {
      oneOf: [
        {
          required: ['method', 'password'],
          properties: { method: { const: 'password' }, user: {}, password: secret },
        },
        {
          required: ['method', 'client_secret', 'refresh_token'],
          properties: {
            method: { const: 'oauth' },
            client_id: {},
            client_secret: secret,
            refresh_token: secret,
          },
        },
      ],
    },
    replicas: { type: 'array', items: { properties: { name: {}, key: secret } } },
    headers: { type: 'object', additionalProperties: secret },
    service_account: { type: 'object', airbyte_secret: true },
    ssl_key: secret,
  },
}
const CONFIG: JsonObject = {
  host: 'db.example.com',
  credentials: { method: 'password', user: 'me', password: 'p1' },
  replicas: [{ name: 'a', key: 'k1' }, { name: 'b' }],
  headers: { 'X/Key': 'h1' },
  service_account: { private_key: 'sa' },
}
const SECRETS = {
  '/credentials/password': 'p1',
  '/replicas/0/key': 'k1',
  '/headers/X~1Key': 'h1',
  '/service_account': { private_key: 'sa' },
}

it('names the secret fields of every variant, array and map', () => {
  expect(secretPaths(SPEC)).toEqual([
    ...['credentials.client_secret', 'credentials.password', 'credentials.refresh_token'],
    ...['headers[*]', 'replicas[*].key', 'service_account', 'ssl_key'],
  ])
})

describe('splitSecrets', () => {
  it('leaves masks in the visible part and puts every value aside', () => {
    expect(splitSecrets(SPEC, CONFIG)).toEqual({
      visible: {
        host: 'db.example.com',
        credentials: { method: 'password', user: 'me', password: MASK },
        replicas: [{ name: 'a', key: MASK }, { name: 'b' }],
        headers: { 'X/Key': MASK },
        service_account: MASK,
      },
      secrets: SECRETS,
    })
  })

  it('is undone by mergeSecrets', () => {
    expect(mergeSecrets(splitSecrets(SPEC, CONFIG))).toEqual(CONFIG)
  })

  it('takes a secret of a variant that was not chosen', () => {
    const config = { credentials: { method: 'password', client_secret: 'stray' } }
    expect(JSON.stringify(splitSecrets(SPEC, config).visible)).not.toContain('stray')
  })

  it('does not count masks and empty values as given', () => {
    const config = { ssl_key: MASK, credentials: { method: 'password', password: '' } }
    expect(splitSecrets(SPEC, config)).toEqual({
      visible: { credentials: { method: 'password' } },
      secrets: {},
    })
  })

  it('treats __proto__ as an ordinary key', () => {
    const config = JSON.parse('{"__proto__": {"polluted": true}, "host": "h"}')
    const { visible } = splitSecrets(SPEC, config)
    expect(Object.getPrototypeOf(visible)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

it('masks again what is already masked', () => {
  const masked = maskSecrets(SPEC, CONFIG)
  expect(maskSecrets(SPEC, masked)).toEqual(masked)
})

describe('updateSecrets', () => {
  const stored = splitSecrets(SPEC, CONFIG)

  it('keeps secrets that are left out or masked', () => {
    const updated = updateSecrets(SPEC, stored, {
      host: 'new',
      credentials: { user: 'you', password: MASK },
      replicas: [{ name: 'z', key: MASK }],
    })
    expect(mergeSecrets(updated)).toEqual({
      ...CONFIG,
      host: 'new',
      credentials: { method: 'password', user: 'you', password: 'p1' },
      replicas: [{ name: 'z', key: 'k1' }],
    })
  })

  it('replaces and removes secrets', () => {
    const updated = updateSecrets(SPEC, stored, {
      credentials: { password: 'p2' },
      service_account: null,
    })
    expect(updated.secrets).toMatchObject({ '/credentials/password': 'p2' })
    expect(updated.secrets).not.toHaveProperty('/service_account')
    expect(updated.visible).not.toHaveProperty('service_account')
  })

  it('takes a field away by null, unless null is a value of it', () => {
    const spec = { properties: { a: { type: 'string' }, b: { type: ['string', 'null'] } } }
    const before = { visible: { a: 'x', b: 'y' }, secrets: {} }
    expect(updateSecrets(spec, before, { a: null, b: null }).visible).toEqual({ b: null })
    expect(updateSecrets(spec, { visible: {}, secrets: {} }, { a: null }).visible).toEqual({
      a: null,
    })
  })

  it('drops the secrets of the old variant when another is chosen', () => {
    const updated = updateSecrets(SPEC, stored, {
      credentials: { method: 'oauth', client_id: 'c' },
    })
    expect(mergeSecrets(updated).credentials).toEqual({ method: 'oauth', client_id: 'c' })
    expect(updated.secrets).not.toHaveProperty('/credentials/password')
  })

  it('does not show a mask for a secret that never had a value', () => {
    expect(updateSecrets(SPEC, stored, { ssl_key: MASK }).visible).not.toHaveProperty('ssl_key')
  })
})

describe('missingSecrets', () => {
  it('names a choice between ways to give secrets that is not made yet', () => {
    const { credentials } = SPEC.properties
    const spec = { required: ['credentials'], properties: { credentials } }
    expect(missingSecrets(spec, {})).toEqual(['credentials'])
    expect(missingSecrets({ ...spec, required: [] }, {})).toEqual([])
    const none = { properties: { method: { const: 'none' } } }
    const open = { oneOf: [...credentials.oneOf, none] }
    expect(missingSecrets({ ...spec, properties: { credentials: open } }, {})).toEqual([])
  })

  it('names the required ones of the chosen variant', () => {
    const config = { credentials: { method: 'oauth', client_secret: MASK } }
    expect(missingSecrets(SPEC, config)).toEqual(['credentials.refresh_token'])
  })

  it('names optional ones when asked', () => {
    const config = {
      credentials: { method: 'password', password: MASK },
      replicas: [{ name: 'a' }],
    }
    expect(missingSecrets(SPEC, config)).toEqual([])
    expect(missingSecrets(SPEC, config, { optional: true })).toEqual([
      'replicas[0].key',
      'service_account',
      'ssl_key',
    ])
  })

  it('finds nothing missing in a whole config', () => {
    expect(missingSecrets(SPEC, CONFIG)).toEqual([])
  })
})

describe('a config that its connector changes', () => {
  const stored = splitSecrets(SPEC, CONFIG)

  it('hides a token that is put where the spec expects none, and keeps it hidden', () => {
    const changes = [
      { path: ['oauth', 'token'], value: 'tok-1', secret: true },
      { path: ['oauth', 'expires'], value: '2026-01-01', secret: false },
    ]
    const after = setValues(SPEC, stored, changes)
    expect(after.visible.oauth).toEqual({ token: MASK, expires: '2026-01-01' })
    expect(after.secrets).toEqual({ ...SECRETS, '/oauth/token': 'tok-1' })
    expect(mergeSecrets(after)).toEqual({
      ...CONFIG,
      oauth: { token: 'tok-1', expires: '2026-01-01' },
    })
    const edited = updateSecrets(SPEC, after, { host: 'other' })
    expect(edited.visible.oauth).toEqual({ token: MASK, expires: '2026-01-01' })
    const rewritten = rewriteConfig(SPEC, after, mergeSecrets(after))
    expect(rewritten).toEqual(after)
  })

  it('hides a secret that was moved, and forgets the place where it was', () => {
    const moved: JsonObject = { ...CONFIG, tls: { key: 'p1p1' }, credentials: {} }
    const before = { ...stored, secrets: { ...SECRETS, '/credentials/password': 'p1p1' } }
    const after = rewriteConfig(SPEC, before, moved)
    expect(after.visible.tls).toEqual({ key: MASK })
    expect(after.secrets).not.toHaveProperty('/credentials/password')
    expect(mergeSecrets(after)).toEqual(moved)
  })

  it('takes a path of any name as it is', () => {
    const change = { path: ['__proto__', 'x'], value: 'v', secret: true }
    const after = setValues(SPEC, { visible: {}, secrets: {} }, [change])
    expect(Object.keys(after.visible)).toEqual(['__proto__'])
    expect(({} as { x?: unknown }).x).toBeUndefined()
  })
})
