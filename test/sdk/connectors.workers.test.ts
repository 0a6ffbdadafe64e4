import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, inject, it } from 'vitest'
import { handleApi } from '../../src/http/api/index.ts'
import { SCOPES } from '../../src/operations/caller.ts'
import { Airbyte } from '../../src/sdk/index.ts'
import { apiOf } from '../http/api/support.ts'
import { itemsManifest } from '../support/items-manifest.ts'

function clientOf(tenantId: string) {
  const caller = { subject: 'me', kind: 'local', scopes: SCOPES, role: 'admin' }
  const fetch = async (request: Request) => {
    const ctx = Object.assign(createExecutionContext(), { props: { tenantId, caller } })
    return handleApi(request, env, ctx)
  }
  return new Airbyte({ binding: { fetch } })
}

it('imports, shows, upgrades and removes a connector with types', async () => {
  const airbyte = clientOf('sdk-connectors')
  const made = await airbyte.connectors.import({ from: 'source-items', version: '1.0.0' })
  const licence: string = made.license
  expect([licence, made.name, made.streams.runs]).toEqual(['MIT', 'items', ['items']])
  const { items } = await airbyte.connectors.list()
  expect(items.map(({ name, version }) => [name, version])).toEqual([['items', '1.0.0']])
  const plan = await airbyte.connectors.upgrade('items')
  expect([plan.applied, plan.to.version]).toEqual([false, '2.0.0'])
  await airbyte.connectors.upgrade('items', { plan: plan.plan })
  const { releases } = await airbyte.connectors.get('items')
  expect(releases.map(({ version }) => version)).toEqual(['2.0.0', '1.0.0'])
  expect(await airbyte.connectors.remove(made.id)).toMatchObject({ deleted: true })
})

it('does the same by routes, with the status of each refusal', async () => {
  const api = apiOf('http-connectors')
  const text = { name: 'mine', license: 'own', manifest: itemsManifest(inject('registryUrl')) }
  const made = await api('POST', '/v1/connectors', text)
  expect(made).toMatchObject({ status: 200, body: { name: 'mine', license: 'own' } })
  expect(await api('GET', '/v1/connectors')).toMatchObject({ body: { total: 1 } })
  expect(await api('GET', '/v1/connectors/mine?texts=true')).toMatchObject({
    body: { manifest: text.manifest, streams: { runs: ['items'] } },
  })
  expect(await api('POST', '/v1/connectors', text)).toMatchObject({ status: 409 })
  const elastic = { from: 'source-elastic' }
  expect(await api('POST', '/v1/connectors', elastic)).toMatchObject({
    ...{ status: 403, body: { error: { code: 'LICENSE_REFUSED' } } },
  })
  const plan = await api('POST', '/v1/connectors/mine/upgrade', { from: 'source-items' })
  expect(plan).toMatchObject({ status: 200, body: { applied: false, direction: 'upgrade' } })
  expect(await api('DELETE', '/v1/connectors/mine')).toMatchObject({ body: { deleted: true } })
  expect(await api('GET', '/v1/connectors/mine')).toMatchObject({ status: 404 })
})
