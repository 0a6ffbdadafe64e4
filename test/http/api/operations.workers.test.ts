import { expect, it } from 'vitest'
import { apiOf } from './support.ts'

const SAMPLE = { name: 'sample', type: 'sample-data', config: { count: 5 } }

it('offers every operation by its id and by its route', async () => {
  const api = apiOf('api-1')
  const made = await api('POST', '/v1/ops/sources.create', SAMPLE)
  expect(made).toMatchObject({ status: 200, body: { name: 'sample', status: 'active' } })
  const read = await api('GET', '/v1/sources/sample')
  expect(read.body).toEqual((await api('POST', '/v1/ops/sources.get', { source: 'sample' })).body)
  expect((await api('GET', '/v1/sources?limit=1')).body).toMatchObject({ total: 1 })
  expect((await api('PATCH', '/v1/sources/sample', { name: 'renamed' })).body).toMatchObject({
    name: 'renamed',
  })
  expect((await api('DELETE', '/v1/sources/renamed')).status).toBe(200)
})

it('answers errors as records with the status of their code', async () => {
  const api = apiOf('api-2')
  expect(await api('GET', '/v1/sources/none')).toMatchObject({
    ...{ status: 404, body: { error: { code: 'NOT_FOUND', field: 'source' } } },
  })
  expect(await api('POST', '/v1/sources', { nam: 'x' })).toMatchObject({ status: 422 })
  expect(await api('POST', '/v1/sources', '{')).toMatchObject({
    ...{ status: 422, body: { error: { field: 'body' } } },
  })
  expect(await api('GET', '/v1/nothing')).toMatchObject({ status: 404 })
  const viewer = apiOf('api-2', ['workspace:read'])
  expect(await viewer('POST', '/v1/sources', SAMPLE)).toMatchObject({ status: 403 })
})

it('refuses ten megabytes of arguments cleanly', async () => {
  const config = { text: 'x'.repeat(10 * 1024 * 1024) }
  expect(await apiOf('api-3')('POST', '/v1/sources', { ...SAMPLE, config })).toMatchObject({
    ...{ status: 413, body: { error: { code: 'TOO_LARGE' } } },
  })
})

it('describes itself as OpenAPI 3.1', async () => {
  const { body } = await apiOf('api-4')('GET', '/v1/openapi.json')
  expect(body.openapi).toBe('3.1.0')
  expect(body.paths['/api/v1/connections/{connection}/sync'].post).toMatchObject({
    operationId: 'connections.sync',
    parameters: [{ name: 'connection', in: 'path', required: true }],
  })
  const ids = Object.values(body.paths).flatMap((path) =>
    Object.values(path as Record<string, { operationId: string }>).map((o) => o.operationId),
  )
  expect(new Set(ids).size).toBe(ids.length)
})
