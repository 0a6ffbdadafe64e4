import { describe, expect, it } from 'vitest'
import { apiKey, errorOf, legacyClient, modernClient, type ToolResult } from './clients.ts'

const CLIENTS = { '2026-07-28': modernClient, '2025': legacyClient }

describe.each(Object.entries(CLIENTS))('a %s client', (era, connect) => {
  it('imports a connector, whose texts are marked as those of others', async () => {
    const client = await connect(await apiKey(`mcp-connectors-${era}`))
    const call = async (name: string, input: Record<string, unknown>) =>
      (await client.callTool({ name, arguments: input })) as ToolResult
    const result = async (name: string, input: Record<string, unknown>) =>
      (await call(name, input)).structuredContent

    const made = await result('import_connector', { from: 'source-items@1.0.0' })
    expect(made).toMatchObject({ name: 'items', license: 'MIT', streams: { runs: ['items'] } })
    expect(Object.keys(made ?? {})[0]).toBe('untrusted_notice')
    expect(errorOf(await call('import_connector', { from: 'source-elastic' }))).toMatchObject({
      code: 'LICENSE_REFUSED',
    })
    const found = await result('search_connectors', { query: 'items' })
    expect(found).toMatchObject({ items: [{ origin: 'imported', license: 'MIT' }] })
    expect(found).toHaveProperty('untrusted_notice')
    const one = await result('get_connector', { kind: 'source', name: 'items' })
    expect(one).toMatchObject({ origin: 'imported', untrusted_notice: expect.any(String) })
    expect(await result('get_connector', { kind: 'source', name: 'postgres' })).not.toHaveProperty(
      'untrusted_notice',
    )

    const made2 = await result('create_source', { name: 's', type: 'items', config: {} })
    expect(made2).toMatchObject({ status: 'awaiting_credentials' })
    expect(
      errorOf(await call('delete_resource', { id: made?.id, confirm: 'items' })),
    ).toMatchObject({ code: 'IN_USE' })
    await client.close()
  })

  it('gets no more of a large connector than fits its context', async () => {
    const client = await connect(await apiKey(`mcp-large-${era}`))
    const given = { name: 'import_connector', arguments: { from: 'source-large' } }
    const made = (await client.callTool(given)) as ToolResult
    expect(JSON.stringify(made.structuredContent).length).toBeLessThan(25_000)
    expect(made.structuredContent).toMatchObject({ name: 'large', license: 'MIT' })
    await client.close()
  }, 60_000)
})
