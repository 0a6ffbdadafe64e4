import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, it } from 'vitest'
import { apiKey, legacyClient, modernClient, type ToolResult } from './clients.ts'

const URL_CAPABLE = { elicitation: { form: {}, url: {} } }

const create = (name: string) => ({
  name: 'create_destination',
  arguments: {
    name,
    type: 'postgres',
    config: { host: 'db.example', port: 5432, database: 'd', username: 'u', schema: 'public' },
  },
})

interface Asked {
  mode?: string
  url?: string
}

const accepting = (asked: Asked[]) => async (request: { params: unknown }) => {
  asked.push(request.params as Asked)
  return { action: 'accept' as const }
}

async function destinations(token: string): Promise<unknown[]> {
  const client = await modernClient(token)
  const result = (await client.callTool({
    name: 'list_resources',
    arguments: { kind: 'destination' },
  })) as ToolResult
  await client.close()
  return result.structuredContent?.items as unknown[]
}

describe('credentials of something created by chat', () => {
  it('are asked for by opening the page in a 2026 client, and nothing is made twice', async () => {
    const token = await apiKey('elicit-modern')
    const client = await modernClient(token, { capabilities: URL_CAPABLE })
    const asked: Asked[] = []
    client.setRequestHandler('elicitation/create', accepting(asked))
    const result = (await client.callTool(create('pg'))) as ToolResult
    expect(asked).toMatchObject([{ mode: 'url' }])
    expect(asked[0]?.url).toMatch(/^http:\/\/localhost:8787\/setup\/elicit-modern\./)
    expect(result.structuredContent).toMatchObject({ kind: 'destination', name: 'pg' })
    // The page was opened, not yet used: the link stays, and get_setup tells when it was.
    expect(result.structuredContent?.setupUrl).toBe(asked[0]?.url)
    expect(await destinations(token)).toHaveLength(1)
    await client.close()
  })

  it('are asked for the same way in a 2025 client that can open a page', async () => {
    const token = await apiKey('elicit-legacy')
    const client = await legacyClient(token, { capabilities: URL_CAPABLE })
    const asked: Asked[] = []
    client.setRequestHandler(ElicitRequestSchema, accepting(asked))
    const result = (await client.callTool(create('pg'))) as ToolResult
    expect(asked).toMatchObject([{ mode: 'url' }])
    expect(result.structuredContent).toMatchObject({ kind: 'destination', name: 'pg' })
    // The page was opened, not yet used: the link stays, and get_setup tells when it was.
    expect(result.structuredContent?.setupUrl).toBe(asked[0]?.url)
    expect(await destinations(token)).toHaveLength(1)
    await client.close()
  })

  it.each([
    ['2026-07-28', modernClient],
    ['2025', legacyClient],
  ])('come as a link where a %s client only fills forms', async (era, connect) => {
    const client = await connect(await apiKey(`link-${era}`), {
      capabilities: { elicitation: { form: {} } },
    })
    const result = (await client.callTool(create('pg'))) as ToolResult
    expect(result.structuredContent?.setupUrl).toMatch(/\/setup\/link-/)
    expect(result.structuredContent?.setupId).toBeTypeOf('string')
    await client.close()
  })
})

describe.each([
  ['2026-07-28', modernClient],
  ['2025', legacyClient],
])('progress for a %s client', (era, connect) => {
  it('arrives while the call waits', async () => {
    const client = await connect(await apiKey(`progress-${era}`))
    const call = async (name: string, args: object) =>
      (await client.callTool({ name, arguments: { ...args } })) as ToolResult
    await call('create_source', { name: 's', type: 'sample-data', config: { count: 2000 } })
    await call('create_destination', { name: 'd', type: 'dev-null', config: {} })
    await call('create_connection', {
      name: 'c',
      source: 's',
      destination: 'd',
      streams: [{ name: 'users', syncMode: 'full_refresh', destinationSyncMode: 'append' }],
    })
    const updates: unknown[] = []
    const onprogress = (update: unknown) => updates.push(update)
    const arguments_ = { connection: 'c', waitSeconds: 30 }
    const run = { name: 'run_sync', arguments: arguments_ }
    const result = (await (era === '2025'
      ? (client as Awaited<ReturnType<typeof legacyClient>>).callTool(run, undefined, {
          onprogress,
        })
      : (client as Awaited<ReturnType<typeof modernClient>>).callTool(run, {
          onprogress,
        }))) as ToolResult
    expect(result.isError, JSON.stringify(result.content)).toBeFalsy()
    expect(updates.length).toBeGreaterThan(0)
    await client.close()
  })
})
