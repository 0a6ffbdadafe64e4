import { env } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import { CANARY, intrusions, victim } from '../../operations/cross-tenant.ts'
import { callerOf } from '../../operations/support.ts'
import { apiOf } from './support.ts'

it('answers every operation on the ids of another workspace with NOT_FOUND and nothing else', async () => {
  const theirs = await victim(env, 'victim')
  const attempts = intrusions(theirs)
  expect(attempts.length).toBeGreaterThan(30)
  const api = apiOf('intruder')
  for (const { operation, input } of attempts) {
    const byId = await api('POST', `/v1/ops/${operation.id}`, input)
    expect([operation.id, byId.status, byId.body.error?.code]).toEqual([
      operation.id,
      404,
      'NOT_FOUND',
    ])
    expect(JSON.stringify(byId.body)).not.toContain(CANARY)
  }
  const lists = ['resources', 'syncs', 'connectors', 'catalog.sources'].map((of) => `${of}.list`)
  for (const id of [...lists, 'catalog.search', 'workspace.get', 'workspace.export']) {
    expect(JSON.stringify((await api('POST', `/v1/ops/${id}`, {})).body)).not.toContain(CANARY)
  }
  const call = callerOf(env, 'victim')
  expect(await call('sources.get', { source: theirs.ids.source })).toMatchObject({
    name: `${CANARY}-s`,
  })
  expect(await call('connections.get', { connection: theirs.ids.connection })).toMatchObject({
    name: `${CANARY}-c`,
  })
})
