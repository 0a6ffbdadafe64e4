import { describe, expect, it } from 'vitest'
import { createScrubber, looksLikeSecret, MASK, secretIn } from '../../src/vault/index.ts'

const SECRET = 'p@ss/w"örd +1&x'

describe('createScrubber', () => {
  const scrub = createScrubber([SECRET])

  it.each([
    ['plain', `auth failed for ${SECRET}!`],
    ['JSON', JSON.stringify({ config: { password: SECRET } })],
    ['JSON in JSON', JSON.stringify(JSON.stringify({ password: SECRET }))],
    ['a URL', `postgres://me:${encodeURIComponent(SECRET)}@db`],
    ['a form', new URLSearchParams({ password: SECRET }).toString()],
    ['Latin-1', `no such key: ${Buffer.from(SECRET).toString('latin1')}`],
    ['Latin-1 in JSON', JSON.stringify([Buffer.from(SECRET).toString('latin1')])],
    ['base64', Buffer.from(SECRET).toString('base64')],
    ['base64url', Buffer.from(SECRET).toString('base64url')],
    ['a Basic header', `Basic ${Buffer.from(`me:${SECRET}`).toString('base64')}`],
    [
      'a Basic header of another length',
      `Basic ${Buffer.from(`you:${SECRET}:`).toString('base64')}`,
    ],
  ])('masks a secret in %s', (_, text) => {
    const scrubbed = scrub(text)
    expect(scrubbed).toContain(MASK)
    const decoded = scrubbed.replaceAll(/[\w+/-]{8,}/g, (s) => s + Buffer.from(s, 'base64'))
    for (const piece of ['p@ss', 'w"örd', 'rd +1&x', 'p%40ss'])
      expect(decoded.toLowerCase()).not.toContain(piece.toLowerCase())
  })

  it('masks the longer of two secrets that overlap', () => {
    expect(createScrubber(['token', 'token-2'])('use token-2')).toBe(`use ${MASK}`)
  })

  it('masks every line of a private key', () => {
    const body = ['MIIEvQIBADANBgkqhkiG9w0B', 'AQEFAASCBKcwggSjAgEAAoIB']
    const pem = `-----BEGIN PRIVATE KEY-----\n${body.join('\n')}\n-----END PRIVATE KEY-----`
    const account = JSON.stringify({ type: 'service_account', private_key: pem })
    for (const secret of [pem, account])
      for (const line of body) expect(createScrubber([secret])(`at ${line}`)).toBe(`at ${MASK}`)
    expect(createScrubber([account])('type service_account')).toBe('type service_account')
  })

  it('masks short values only where they stand alone', () => {
    expect(createScrubber(['pw'])('pw, "pw" but not pwned')).toBe(
      `${MASK}, "${MASK}" but not pwned`,
    )
    expect(createScrubber(['', 'a'])('a cat')).toBe('a cat')
  })

  it('copes with lone surrogates and regular expression characters', () => {
    expect(createScrubber(['\ud800abc.*'])('x \ud800abc.* y')).toBe(`x ${MASK} y`)
    expect(createScrubber(['a.c$d'])('abc$d')).toBe('abc$d')
  })

  it('scrubs 100k log lines of twenty secrets in well under two seconds', () => {
    const many = Array.from({ length: 20 }, (_, i) => `secret-number-${i}-${'x'.repeat(30)}`)
    const fast = createScrubber(many)
    const line = `stream public.orders: read 5000 rows up to id 123456, then ${many[7]} leaked`
    const started = performance.now()
    for (let i = 0; i < 100_000; i++) fast(line)
    expect(performance.now() - started).toBeLessThan(2000)
  })
})

// Built from parts, so that no scanner takes this file for a leak.
const join = (...parts: string[]) => parts.join('')
describe('looksLikeSecret', () => {
  it.each([
    join('sk', '-proj-', 'a1b2c3d4e5f6g7h8i9j0k1l2'),
    join('sk', '_live_', '4eC39HqLyjWDarjtT1zdp7dc'),
    join('AKIA', 'IOSFODNN7EXAMPLE'),
    join('ghp', '_16C7e42F292c6912E7710c838347Ae178B4a'),
    join('github', '_pat_', '11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz'),
    join('xoxb', '-123456789012-abcdefABCDEF'),
    join('eyJhbGciOiJIUzI1NiJ9', '.eyJzdWIiOiIxMjM0NTY3ODkwIn0', '.abc-_def'),
    join('-----BEGIN RSA ', 'PRIVATE KEY-----'),
    'postgres://me:hunter2@db.example.com/app',
    'redis://:hunter2@cache:6379',
    'host=db password=hunter2 user=me',
    'Server=db;Pwd=hunter2;',
    join('Authorization: Bearer ', 'abcdefghijklmnopqrstuvwxyz012345'),
  ])('knows %s', (text) => {
    expect(looksLikeSecret(`see ${text} there`)).toBeDefined()
  })

  it.each([
    'sync my GitHub issues to Snowflake',
    'postgres://db.example.com:5432/app',
    'postgres://me@db.example.com/app',
    `postgres://me:${MASK}@db/app`,
    'https://example.com/a:b@c',
    '0198c0de-7a6b-7000-8000-000000000000',
    'task-force-of-the-engineering-department',
    'the password = *** is masked',
    '-----BEGIN CERTIFICATE-----',
    'ask-me-anything-about-data-pipelines',
  ])('leaves %s alone', (text) => {
    expect(looksLikeSecret(text)).toBeUndefined()
  })

  it('names the field and the kind, never the value', () => {
    const args = { config: { hosts: [{ url: 'mysql://a:bcdefg@h/x' }] }, name: 'n' }
    expect(secretIn(args)).toEqual({ field: 'config.hosts[0].url', kind: 'password in a URL' })
    expect(secretIn({ name: 'plain', count: 3, none: null })).toBeUndefined()
  })
})
