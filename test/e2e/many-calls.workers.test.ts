/** Clients in a hurry, clients that are wrong, clients that leave. */
import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { errorOf, legacyClient, modernClient, type ToolResult } from '../mcp/clients.ts'
import { workspace } from './workspace.ts'

type Client = Awaited<ReturnType<typeof modernClient>>

const CLIENTS = {
  '2026-07-28': modernClient,
  // The two differ in an argument of `callTool` that only cancelling needs.
  '2025': async (token: string) => (await legacyClient(token)) as unknown as Client,
}

describe.each(Object.entries(CLIENTS))('a %s client', (era, connect) => {
  const call = async (client: Client, name: string, args: object = {}) =>
    (await client.callTool({ name, arguments: { ...args } })) as ToolResult

  it('makes a hundred calls at once, and each gets its own answer', async () => {
    const ws = await workspace('hundred')
    const client = await connect(ws.token)
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        i % 2 === 0
          ? call(client, 'create_source', {
              ...{ name: `s${i}`, type: 'sample-data', config: { count: i } },
            })
          : call(client, 'get_resource', { id: `none-${i}` }),
      ),
    )
    results.forEach((result, i) => {
      if (i % 2 === 0) {
        expect(result.structuredContent).toMatchObject({ name: `s${i}`, config: { count: i } })
      } else {
        expect(errorOf(result)).toMatchObject({ code: 'NOT_FOUND' })
        expect(errorOf(result).message).toContain(`none-${i}`)
      }
    })
    expect((await call(client, 'get_workspace')).structuredContent).toMatchObject({
      counts: { sources: 50 },
    })
    await client.close()
  })

  it('cannot create one name twice by being fast', async () => {
    const ws = await workspace('race')
    const client = await connect(ws.token)
    const twin = { name: 'twin', type: 'sample-data', config: {} }
    const results = await Promise.all(
      Array.from({ length: 10 }, () => call(client, 'create_source', twin)),
    )
    expect(results.filter(({ isError }) => !isError)).toHaveLength(1)
    for (const result of results.filter(({ isError }) => isError)) {
      expect(errorOf(result).code).toBe('NAME_TAKEN')
    }
    await client.close()
  })

  it('starts one sync by ten calls at once', async () => {
    const ws = await workspace('ten-syncs')
    await ws.must('POST', '/sources', {
      ...{ name: 's', type: 'sample-data', config: { count: 200, rows_per_second: 200 } },
    })
    await ws.must('POST', '/destinations', { name: 'd', type: 'dev-null', config: {} })
    const ends = { source: 's', destination: 'd', streams: [{ name: 'users' }] }
    await ws.must('POST', '/connections', { name: 'c', ...ends })
    const client = await connect(ws.token)
    const results = await Promise.all(
      Array.from({ length: 10 }, () => call(client, 'run_sync', { connection: 'c' })),
    )
    for (const result of results) {
      expect(result.isError, JSON.stringify(result.content)).toBeFalsy()
      expect(result.structuredContent?.syncId).toBe(1)
    }
    expect((await ws.ended(1)).status).toBe('succeeded')
    expect((await ws.must('GET', '/syncs')).total).toBe(1)
    // No start that lost the race keeps a slot, and the next sync is the second.
    expect(await ws.must('GET', '/workspace')).toMatchObject({ runningSyncs: 0 })
    expect((await ws.sync('c')).syncId).toBe(2)
    await client.close()
  })

  it('is told that a tool does not exist, and goes on', async () => {
    const ws = await workspace('unknown-tool')
    const client = await connect(ws.token)
    const outcome = await call(client, 'drop_database').catch((error: Error) => error)
    const text = outcome instanceof Error ? outcome.message : JSON.stringify(outcome.content)
    expect(text).toContain('drop_database')
    expect(outcome instanceof Error || outcome.isError).toBe(true)
    expect((await call(client, 'get_workspace')).isError).toBeFalsy()
    await client.close()
  })

  it('leaves a long call, which ends nothing but the waiting', async () => {
    const ws = await workspace('left')
    const slow = { count: 800, rows_per_second: 100 }
    await ws.must('POST', '/sources', { name: 's', type: 'sample-data', config: slow })
    await ws.must('POST', '/destinations', { name: 'd', type: 'dev-null', config: {} })
    const ends = { source: 's', destination: 'd', streams: [{ name: 'users' }] }
    await ws.must('POST', '/connections', { name: 'c', ...ends })
    const client = await connect(ws.token)
    const abort = new AbortController()
    const run = { name: 'run_sync', arguments: { connection: 'c', waitSeconds: 30 } }
    const options = { signal: abort.signal }
    const left =
      era === '2025'
        ? (client as unknown as Awaited<ReturnType<typeof legacyClient>>).callTool(
            run,
            undefined,
            options,
          )
        : client.callTool(run, options)
    setTimeout(() => abort.abort(), 1500)
    const started = Date.now()
    await expect(left).rejects.toThrow()
    // It would have waited thirty seconds for the sync.
    expect(Date.now() - started).toBeLessThan(15_000)
    const now = await call(client, 'get_sync', { sync: 1 })
    expect(now.structuredContent?.status).toBe('running')
    const end = await call(client, 'get_sync', { sync: 1, waitSeconds: 20 })
    expect(end.structuredContent).toMatchObject({ status: 'succeeded', finished: true })
    await client.close()
  })
})

it('a session goes on in the middle of work after its object was evicted', async () => {
  const ws = await workspace('evicted')
  const client = await legacyClient(ws.token)
  const id = client.transport?.sessionId ?? ''
  const session = env.MCP_SESSION.getByName(`${ws.id}:tester:${id}`)
  for (let i = 0; i < 5; i++) {
    const source = { name: `s${i}`, type: 'sample-data', config: {} }
    const made = client.callTool({ name: 'create_source', arguments: source })
    if (i % 2 === 0) expect((await made).isError).toBeFalsy()
    await evictDurableObject(session)
    // A call that was under way when its session fell may be lost; what it did is not done twice.
    if (i % 2 === 1) await made.catch(() => {})
    const after = await client.callTool({ name: 'list_resources', arguments: { kind: 'source' } })
    expect(after.structuredContent).toMatchObject({ total: i + 1 })
  }
  await client.close()
})
