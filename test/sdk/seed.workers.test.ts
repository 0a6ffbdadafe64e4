import { createExecutionContext } from 'cloudflare:test'
import { env as bindings } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { handleApi } from '../../src/http/api/index.ts'
import { SCOPES } from '../../src/operations/caller.ts'
import { Airbyte, AirbyteError } from '../../src/sdk/index.ts'

function clientOf(tenantId: string) {
  const props = {
    tenantId,
    caller: { subject: 'me', kind: 'local', scopes: SCOPES, role: 'admin' },
  }
  const binding = {
    fetch: async (request: Request) =>
      handleApi(request, bindings, Object.assign(createExecutionContext(), { props })),
  }
  return new Airbyte({ binding })
}

const env = { GITHUB_TOKEN: 'token-of-nobody' }

/** The founding document's examples, letter by letter; compiling them is half of the test. */
async function examples(airbyte: Airbyte) {
  // biome-ignore format: as it was given
  const github = await airbyte.sources.create({
    name: 'github-source',
    type: 'github',
    config: {
      credentials: { personal_access_token: env.GITHUB_TOKEN },
      repositories: ['myorg/myrepo']
    }
  })
  // biome-ignore format: as it was given
  const snowflake = await airbyte.destinations.create({
    name: 'snowflake-dest',
    type: 'snowflake',
    config: {
      host: 'account.snowflakecomputing.com',
      database: 'analytics'
    }
  })
  // biome-ignore format: as it was given
  const connection = await airbyte.connections.create({
    name: 'github-to-snowflake',
    source: github.id,
    destination: snowflake.id,
    streams: [
      { name: 'commits', syncMode: 'incremental', cursorField: 'date' }
    ],
    schedule: { cron: '0 */6 * * *' }
  })
  return connection
}

describe("the founding document's examples", () => {
  it('name the connectors that are near while the one they use does not exist', async () => {
    const airbyte = clientOf('seed-1')
    const { sources, destinations } = airbyte.catalog
    const known = await Promise.all([sources.list(), destinations.list()])
    const names = known.flatMap(({ items }) => items.map(({ name }) => name))
    const exist = ['github', 'snowflake'].every((name) => names.includes(name))
    if (exist) return void (await expect(examples(airbyte)).resolves.toBeDefined())
    const error = await examples(airbyte).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(AirbyteError)
    expect(error).toMatchObject({ code: 'CONNECTOR_NOT_FOUND', field: 'type' })
  })

  it('run with connectors that exist, from creating to done', async () => {
    const airbyte = clientOf('seed-2')
    const source = await airbyte.sources.create({
      ...{ name: 'users', type: 'sample-data', config: { count: 40 } },
    })
    const destination = await airbyte.destinations.create({
      ...{ name: 'nowhere', type: 'dev-null', config: {} },
    })
    expect(await airbyte.sources.check(source.id)).toEqual({ ok: true })
    const { streams } = await airbyte.sources.discover(source.id)
    expect(streams.map(({ name }) => name)).toContain('users')
    const connection = await airbyte.connections.create({
      name: 'users-to-nowhere',
      source: source.id,
      destination: destination.id,
      streams: [
        {
          name: 'users',
          syncMode: 'incremental',
          cursorField: 'updated_at',
          primaryKey: 'id',
          destinationSyncMode: 'append_dedup',
        },
      ],
      schedule: { cron: '0 */6 * * *' },
      normalization: 'basic',
    })
    const seen: number[] = []
    const sync = await airbyte.connections.sync(connection.id)
    const done = await sync.done({ onProgress: ({ rows }) => seen.push(rows) })
    expect(done).toMatchObject({ status: 'succeeded', rows: 40 })
    expect(seen.at(-1)).toBe(40)
    expect(await airbyte.connections.status(connection.id)).toMatchObject({
      sync: { status: 'succeeded' },
    })
  })
})

it('rejects with the code, the field and the next step', async () => {
  const airbyte = clientOf('seed-3')
  await expect(airbyte.connections.status('none')).rejects.toMatchObject({
    ...{ name: 'AirbyteError', code: 'NOT_FOUND', kind: 'config', field: 'connection' },
    hint: expect.stringContaining('List'),
  })
})

it('rejects done with the error of a sync that failed', async () => {
  const airbyte = clientOf('seed-4')
  await airbyte.sources.create({
    ...{
      name: 's',
      type: 'sample-data',
      config: { count: 40, fail_at: { record: 10, kind: 'config' } },
    },
  })
  await airbyte.destinations.create({ name: 'd', type: 'dev-null', config: {} })
  const streams = [{ name: 'users' }]
  await airbyte.connections.create({ name: 'c', source: 's', destination: 'd', streams })
  const sync = await airbyte.connections.sync('c')
  await expect(sync.done()).rejects.toBeInstanceOf(AirbyteError)
})
