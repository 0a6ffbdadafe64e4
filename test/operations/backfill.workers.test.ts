import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, expect, it } from 'vitest'
import { handleApi } from '../../src/http/api/index.ts'
import { SCOPES } from '../../src/operations/caller.ts'
import { Airbyte } from '../../src/sdk/index.ts'
import { callerOf } from './support.ts'

const TENANT = 'backfill-operations'
const call = callerOf(env, TENANT)
const caller = { subject: 'me', kind: 'local', scopes: SCOPES, role: 'admin' }
const airbyte = new Airbyte({
  binding: {
    fetch: async (request: Request) => {
      const props = { tenantId: TENANT, caller }
      return handleApi(request, env, Object.assign(createExecutionContext(), { props }))
    },
  },
})

beforeAll(async () => {
  await call('sources.create', { name: 's', type: 'sample-data', config: { count: 50 } })
  await call('destinations.create', { name: 'd', type: 'dev-null', config: {} })
  await call('connections.create', {
    ...{ name: 'c', source: 's', destination: 'd' },
    streams: [{ name: 'users', syncMode: 'incremental' }, { name: 'products' }],
  })
})

it('is started over HTTP by the SDK and waited for; the state stays', async () => {
  await (await airbyte.connections.sync('c')).done()
  const before = await airbyte.connections.getState('c')
  const range = { stream: 'users', field: 'id', from: 11, to: '21' }
  const started = await airbyte.connections.backfill('c', range)
  expect(await started.done()).toMatchObject({ status: 'succeeded', rows: 10 })
  expect(await airbyte.connections.getState('c')).toEqual(before)
  const { streams } = await call('syncs.receipt', { sync: started.syncId })
  expect(streams).toMatchObject([{ range: { field: 'id', from: '11', to: '21' }, rowsLoaded: 10 }])
})

it.each([
  ['an unknown stream', { stream: 'user', field: 'id', from: '1' }, 'STREAM_NOT_FOUND', 'stream'],
  ['an unknown field', { stream: 'users', field: 'ide', from: '1' }, 'VALIDATION_FAILED', 'field'],
  ['no end', { stream: 'users', field: 'id' }, 'VALIDATION_FAILED', 'from'],
  ['a fraction', { stream: 'users', field: 'id', from: 1.5 }, 'VALIDATION_FAILED', 'from'],
  ['an overwriting stream', { stream: 'products', field: 'id', from: '1' }, 'MODE_UNSUPPORTED'],
])('is refused for %s', async (_, input, code, field?: string) => {
  await expect(call('connections.backfill', { connection: 'c', ...input })).rejects.toMatchObject({
    code,
    ...(field && { field }),
  })
})
