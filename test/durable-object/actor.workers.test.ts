import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { sourceStub } from '../../src/durable-object/platform.ts'
import type { JsonObject } from '../../src/protocol/index.ts'
import { TENANT } from './harness.ts'

const CONFIG = {
  host: 'db.test',
  port: 5432,
  database: 'd',
  username: 'u',
  password: 'hunter2-secret',
}

async function create(config: typeof CONFIG = CONFIG) {
  const id = crypto.randomUUID()
  const source = sourceStub(env, TENANT, id)
  await source.create({ tenantId: TENANT, id, name: id, type: 'postgres', config })
  return { id, source }
}

describe('a source', () => {
  it('keeps its password to itself, and stores none of it readable', async () => {
    const { id, source } = await create()
    expect((await source.get()).config).toMatchObject({ host: 'db.test', password: '**********' })
    expect((await source.open()).config).toMatchObject({ password: 'hunter2-secret' })
    const stored = await runInDurableObject(
      env.SOURCE.getByName(`${TENANT}:${id}`),
      (_object, { storage }) => JSON.stringify([...storage.kv.list()]),
    )
    expect(stored).not.toContain('hunter2')
  })

  it('keeps the password when something else changes', async () => {
    const { source } = await create()
    await source.update({ config: { database: 'other', password: '**********' } })
    expect((await source.open()).config).toMatchObject({
      database: 'other',
      password: 'hunter2-secret',
    })
  })

  it.each<JsonObject>([
    ...[{ host: 'attacker.test' }, { port: 6666 }, { api_url: 'https://attacker.test' }],
    ...[{ instance_url: 'https://attacker.test' }, { subdomain: 'attacker' }, { shop: 'attacker' }],
  ])('forgets the password when %j says where it would go', async (change) => {
    const { source } = await create()
    const record = await source.update({ config: change })
    expect(record.config.password).toBeUndefined()
    expect((await source.open()).secrets).toEqual([])
    await source.update({ config: { ...change, password: 'new-secret' } })
    expect((await source.open()).config).toMatchObject({ password: 'new-secret' })
  })

  it('takes a new address together with a new password', async () => {
    const { source } = await create()
    await source.update({ config: { host: 'new.test', password: 'new-secret' } })
    expect((await source.open()).config).toMatchObject({ host: 'new.test', password: 'new-secret' })
  })
})
