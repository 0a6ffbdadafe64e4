import { env } from 'cloudflare:workers'
import { beforeAll, expect, it } from 'vitest'
import { CANARY, intrusions, lists, unknownFields, victim } from '../../operations/cross-tenant.ts'
import { callerOf, SAMPLE } from '../../operations/support.ts'
import { apiOf } from './support.ts'

let theirs: Awaited<ReturnType<typeof victim>>
beforeAll(async () => {
  theirs = await victim(env, 'victim')
})

it('knows of every field of every operation whether it names something', () => {
  expect(unknownFields(theirs)).toEqual([])
})

it('answers every operation on the ids of another workspace with NOT_FOUND and nothing else', async () => {
  const call = callerOf(env, 'intruder')
  const { id: source } = await call('sources.create', { name: 'own', ...SAMPLE })
  const sink = { name: 'own', type: 'dev-null', config: {} }
  const { id: destination } = await call('destinations.create', sink)
  const attempts = intrusions(theirs, { source, destination })
  expect(attempts.length).toBeGreaterThan(45)
  const api = apiOf('intruder')
  for (const { operation, input } of attempts) {
    const byId = await api('POST', `/v1/ops/${operation.id}`, input)
    const label = `${operation.id} ${JSON.stringify(input)}`
    expect([label, byId.status, byId.body.error?.code]).toEqual([label, 404, 'NOT_FOUND'])
    expect(JSON.stringify(byId.body)).not.toContain(CANARY)
  }
})

it('lists nothing of another workspace, by whatever operation', async () => {
  const api = apiOf('onlooker')
  expect(lists().length).toBeGreaterThan(12)
  for (const { id } of lists()) {
    const { status, body } = await api('POST', `/v1/ops/${id}`, {})
    // Diagnosis wants one of two names; it reads nothing without.
    expect([id, status]).toEqual([id, id === 'syncs.diagnose' ? 422 : 200])
    expect(JSON.stringify(body), id).not.toContain(CANARY)
  }
})

it('changed nothing of the victim', async () => {
  const call = callerOf(env, 'victim')
  expect(await call('sources.get', { source: theirs.source })).toMatchObject({
    name: `${CANARY}-s`,
  })
  expect(await call('connections.get', { connection: theirs.connection })).toMatchObject({
    name: `${CANARY}-c`,
  })
  expect((await call('webhooks.list')).items).toMatchObject([{ name: `${CANARY}-w` }])
  expect((await call('members.invitations')).items).toMatchObject([{ id: theirs.invitation }])
  expect((await call('members.list')).items).toMatchObject([{ level: 'editor' }])
  expect((await call('keys.list')).items).toMatchObject([{ id: theirs.key }])
})
