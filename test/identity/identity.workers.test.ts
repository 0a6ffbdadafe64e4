import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { createSetup, getSetup } from '../../src/http/setup.ts'
import { validateToken } from '../../src/identity/access.ts'
import { parseApiKey } from '../../src/identity/api-keys.ts'
import { oauthKv, shardName } from '../../src/identity/oauth-kv.ts'
import { personObject, removeMember, workspaceObject } from '../../src/identity/objects.ts'
import { userIdOf } from '../../src/identity/people.ts'
import { currentPerson, openSession } from '../../src/identity/session.ts'

const API = 'http://localhost:8787/api'
const access = (token: string) => validateToken(new Request(API), env, API, token)

async function newKey(tenantId: string, more: object = {}) {
  return workspaceObject(env, tenantId).createKey(tenantId, {
    name: 'ci',
    scopes: ['workspace:read', 'sync:run'],
    createdBy: 'u1',
    ...more,
  })
}

describe('API keys', () => {
  it('open exactly the workspace and the scopes they were made for', async () => {
    const { token } = await newKey('t1')
    expect(parseApiKey(token)?.tenantId).toBe('t1')
    const found = await access(token)
    expect(found?.props.tenantId).toBe('t1')
    expect(found?.scope).toEqual(['workspace:read', 'sync:run'])
    expect(found?.props.caller.kind).toBe('api_key')
  })

  it('are worth nothing with another workspace in front', async () => {
    const { token } = await newKey('t2')
    expect(await access(token.replace('abk_t2_', 'abk_t3_'))).toBeNull()
  })

  it.each([
    'abk_',
    'abk_t1__',
    'abk_t1_0123456789ab_short',
    `abk_t1_0123456789ab_${'x'.repeat(43)}`,
  ])('refuses %s', async (token) => expect(await access(token)).toBeNull())

  it('end at their date and when they are revoked', async () => {
    const past = await newKey('t4', { expiresAt: Date.now() - 1 })
    expect(await access(past.token)).toBeNull()
    const { token, key } = await newKey('t4')
    expect(await workspaceObject(env, 't4').revokeKey(key.id)).toBe(true)
    expect(await access(token)).toBeNull()
    expect(await workspaceObject(env, 't4').revokeKey(key.id)).toBe(false)
  })

  it('end with the membership of who made them', async () => {
    const { token } = await newKey('t5', { createdBy: 'leaver' })
    await removeMember(env, 't5', 'leaver')
    expect(await access(token)).toBeNull()
  })

  it('remember when they were used, and never their secret', async () => {
    const { token } = await newKey('t6')
    await access(token)
    const [listed] = await workspaceObject(env, 't6').listKeys()
    expect(listed?.lastUsedAt).toBeGreaterThan(Date.now() - 10_000)
    const secret = parseApiKey(token)?.secret ?? ''
    const dump = await runInDurableObject(workspaceObject(env, 't6'), (_, { storage }) =>
      JSON.stringify(storage.sql.exec('select * from api_keys').toArray()),
    )
    expect(dump).not.toContain(secret)
  })
})

describe('a person', () => {
  const hosted = (cookie: string) =>
    new Request('https://airbyte.do/authorize', { headers: { cookie } })

  it('gets a workspace of their own at the first sign-in and keeps it', async () => {
    const profile = { issuer: 'https://github.com', subject: '42', name: 'Ann' }
    const cookie = (await openSession(env, profile)).split(';')[0] ?? ''
    expect(await currentPerson(hosted(cookie), env)).toMatchObject({ name: 'Ann' })
    await openSession(env, profile)
    const person = personObject(env, await userIdOf(profile))
    expect(await person.memberships()).toHaveLength(1)
  })

  it('is nobody without, with a forged, or with an ended session', async () => {
    const profile = { issuer: 'https://github.com', subject: '43', name: 'Ben' }
    const cookie = (await openSession(env, profile)).split(';')[0] ?? ''
    expect(await currentPerson(hosted(''), env)).toBeNull()
    expect(await currentPerson(hosted(`${cookie.slice(0, -4)}AAAA`), env)).toBeNull()
    const secret = cookie.split('.').at(-1) ?? ''
    await personObject(env, await userIdOf(profile)).signOut(secret)
    expect(await currentPerson(hosted(cookie), env)).toBeNull()
  })

  it('is never the local one under a name that is not loopback', async () => {
    expect(await currentPerson(new Request('http://rebound.example:8787/'), env)).toBeNull()
    expect(await currentPerson(new Request('http://127.0.0.1:8787/'), env)).toMatchObject({
      userId: 'local',
    })
  })
})

describe('setup links', () => {
  const request = {
    tenantId: 't7',
    entity: 'source' as const,
    entityId: 'e1',
    name: 'orders',
    connector: 'postgres',
    subject: 'u1',
  }

  it('are used once', async () => {
    const { setupId, setupUrl } = await createSetup(env, request)
    expect(setupUrl).toBe(`http://localhost:8787/setup/${setupId}`)
    expect((await getSetup(env, 't7', setupId))?.status).toBe('waiting')
    const workspace = workspaceObject(env, 't7')
    const uses = await Promise.all([1, 2, 3].map(() => workspace.completeSetup(setupId)))
    expect(uses.filter(Boolean)).toHaveLength(1)
    expect((await getSetup(env, 't7', setupId))?.status).toBe('completed')
  })

  it('belong to one workspace', async () => {
    const { setupId } = await createSetup(env, request)
    expect(await getSetup(env, 't8', setupId)).toBeNull()
    expect(await getSetup(env, 't8', setupId.replace('t7.', 't8.'))).toBeNull()
  })

  it('replace one another', async () => {
    const first = await createSetup(env, { ...request, entityId: 'e2' })
    const second = await createSetup(env, { ...request, entityId: 'e2' })
    expect((await getSetup(env, 't7', first.setupId))?.status).toBe('expired')
    expect((await getSetup(env, 't7', second.setupId))?.status).toBe('waiting')
  })
})

describe('the OAuth store', () => {
  const kv = oauthKv(env)

  it('reads what was just written, with its metadata', async () => {
    await kv.put('grant:u1:g1', '{"a":1}', { metadata: { clientId: 'c' } })
    expect(await kv.get('grant:u1:g1', { type: 'json' })).toEqual({ a: 1 })
    expect(await kv.get('grant:u1:g1')).toBe('{"a":1}')
    const { metadata } = await kv.getWithMetadata('grant:u1:g1')
    expect(metadata).toEqual({ clientId: 'c' })
    await kv.delete('grant:u1:g1')
    expect(await kv.get('grant:u1:g1')).toBeNull()
  })

  it('lists by prefix in pages', async () => {
    for (let i = 0; i < 5; i++) await kv.put(`token:u2:g1:${i}`, '1')
    await kv.put('token:u2:g2:0', '1')
    const first = await kv.list({ prefix: 'token:u2:g1:', limit: 3 })
    expect(first.list_complete).toBe(false)
    const cursor = first.list_complete ? '' : first.cursor
    const rest = await kv.list({ prefix: 'token:u2:g1:', limit: 3, cursor })
    expect(rest.list_complete).toBe(true)
    expect([...first.keys, ...rest.keys].map(({ name }) => name)).toEqual(
      [0, 1, 2, 3, 4].map((i) => `token:u2:g1:${i}`),
    )
  })

  it('forgets at the end of the lifetime, and the storage with it', async () => {
    await kv.put('client:c1', '{}', { expiration: Math.floor(Date.now() / 1000) - 1 })
    expect(await kv.get('client:c1')).toBeNull()
    const shard = env.OAUTH_STORE.getByName(shardName('client:c1'))
    await runDurableObjectAlarm(shard)
    await kv.put('client:c1', '{"again":true}')
    expect(await kv.get('client:c1', 'json')).toEqual({ again: true })
  })

  it('has no listing across people', async () => {
    await expect(kv.list({ prefix: 'grant:' })).rejects.toThrow('no single shard')
  })
})
