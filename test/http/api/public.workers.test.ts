import { describe, expect, it } from 'vitest'
import {
  connectionInput,
  connectionOutput,
  fromQuartz,
} from '../../../src/http/api/public/shapes.ts'
import { apiOf } from './support.ts'

const SOURCE = { name: 'Faker', configuration: { sourceType: 'sample-data', count: 7 } }
const DESTINATION = { name: 'Null', configuration: { destinationType: 'dev-null' } }

async function connected(workspaceId: string) {
  const api = apiOf(workspaceId)
  const source = await api('POST', '/public/v1/sources', { ...SOURCE, workspaceId })
  const destination = await api('POST', '/public/v1/destinations', { ...DESTINATION, workspaceId })
  const { sourceId } = source.body
  const { destinationId } = destination.body
  const connection = await api('POST', '/public/v1/connections', {
    ...{ name: 'c', sourceId, destinationId },
    configurations: {
      streams: [
        { name: 'users', syncMode: 'incremental_deduped_history', primaryKey: [['id']] },
        { name: 'products', syncMode: 'full_refresh_overwrite' },
      ],
    },
    schedule: { scheduleType: 'cron', cronExpression: '0 0 */6 * * ?' },
    prefix: 'faker_',
  })
  return { api, sourceId, connection: connection.body }
}

it("speaks Airbyte's names for sources, connections and jobs", async () => {
  const { api, sourceId, connection } = await connected('pub-1')
  expect(connection).toMatchObject({
    ...{ sourceId, workspaceId: 'pub-1', status: 'active', prefix: 'faker_' },
    schedule: { scheduleType: 'cron', cronExpression: '0 0 */6 * * ?' },
    configurations: {
      streams: [
        { name: 'users', syncMode: 'incremental_deduped_history', primaryKey: [['id']] },
        { name: 'products', syncMode: 'full_refresh_overwrite' },
      ],
    },
  })
  const { connectionId } = connection
  const started = await api('POST', '/public/v1/jobs', { connectionId, jobType: 'sync' })
  expect(started.body).toMatchObject({ jobId: 1, jobType: 'sync', connectionId })
  await expect
    .poll(async () => (await api('GET', '/public/v1/jobs/1')).body, { timeout: 20_000 })
    .toMatchObject({ status: 'succeeded', rowsSynced: 14, duration: expect.stringMatching(/^PT/) })
  const paused = await api('PATCH', `/public/v1/connections/${connectionId}`, {
    status: 'inactive',
  })
  expect(paused.body.status).toBe('inactive')
  expect((await api('GET', `/public/v1/jobs?connectionId=${connectionId}`)).body.data).toHaveLength(
    1,
  )
})

it('shows a continuous schedule as a basic one, and takes it back as it was shown', () => {
  const shown = connectionOutput({ streams: [], schedule: { continuous: true } }, 'pub-9')
  expect(shown.schedule).toEqual({ scheduleType: 'basic', basicTiming: 'Continuously' })
  expect(connectionInput(shown)).toMatchObject({ schedule: { continuous: true } })
})

it("hashes, renames, filters and leaves out by Airbyte's mappers, and shows them", async () => {
  const { api, connection } = await connected('pub-5')
  const mappers = [
    {
      type: 'row-filtering',
      mapperConfiguration: {
        conditions: {
          type: 'NOT',
          conditions: [{ type: 'EQUAL', fieldName: 'name', comparisonValue: 'nobody' }],
        },
      },
    },
    {
      type: 'hashing',
      mapperConfiguration: { targetField: 'email', method: 'SHA-256', fieldNameSuffix: '_hashed' },
    },
  ]
  const patch = (stream: object) =>
    api('PATCH', `/public/v1/connections/${connection.connectionId}`, {
      configurations: { streams: [{ name: 'users', ...stream }] },
    })
  const selectedFields = ['id', 'name', 'email', 'age'].map((name) => ({ fieldPath: [name] }))
  const leftOut = { type: 'field-filtering', mapperConfiguration: { targetField: 'age' } }
  const { body } = await patch({ selectedFields, mappers: [...mappers, leftOut] })
  expect(body.configurations.streams).toMatchObject([
    { name: 'users', selectedFields: selectedFields.slice(0, 3), mappers },
  ])
  expect(await patch({ mappers: [{ type: 'encryption', mapperConfiguration: {} }] })).toMatchObject(
    {
      status: 422,
      body: { error: { field: 'configurations.streams[0].mappers[0].type' } },
    },
  )
})

it('pages by limit and offset with links', async () => {
  const api = apiOf('pub-2')
  for (const name of ['a', 'b', 'c']) await api('POST', '/public/v1/sources', { ...SOURCE, name })
  const first = (await api('GET', '/public/v1/sources?limit=2')).body
  expect(first.data.map((s: { name: string }) => s.name)).toEqual(['a', 'b'])
  expect(first.previous).toBe('')
  const next = (await api('GET', first.next.slice('https://airbyte.test/api'.length))).body
  expect(next.data.map((s: { name: string }) => s.name)).toEqual(['c'])
  expect(next.next).toBe('')
})

it("knows no workspace but the token's", async () => {
  const api = apiOf('pub-3')
  expect((await api('GET', '/public/v1/workspaces')).body.data).toMatchObject([
    { workspaceId: 'pub-3' },
  ])
  expect((await api('GET', '/public/v1/workspaces/pub-1')).status).toBe(404)
  expect((await api('POST', '/public/v1/sources', { ...SOURCE, workspaceId: 'x' })).status).toBe(
    404,
  )
})

it('lists the streams of a source with their modes', async () => {
  const { api, sourceId } = await connected('pub-4')
  const { body } = await api('GET', `/public/v1/streams?sourceId=${sourceId}`)
  const users = body.find((s: { streamName: string }) => s.streamName === 'users')
  expect(users.syncModes).toContain('full_refresh_overwrite')
  expect(users.propertyFields).toContainEqual(['id'])
})

describe('Quartz expressions', () => {
  it.each([
    ['0 0 */6 * * ?', { cron: '0 */6 * * *' }],
    ['0 30 2 ? * 2-6 Europe/Berlin', { cron: '30 2 * * 1-5', timezone: 'Europe/Berlin' }],
    ['0 0 12 * * ? * UTC', { cron: '0 12 * * *', timezone: 'UTC' }],
    ['0 */6 * * *', { cron: '0 */6 * * *' }],
    ['0 0 8 ? * MON', { cron: '0 8 * * MON' }],
  ])('%s', (quartz, cron) => {
    expect(fromQuartz(quartz)).toEqual(cron)
  })

  it('with seconds are refused', () => {
    expect(() => fromQuartz('30 0 * * * ?')).toThrow(/Seconds/)
  })
})
