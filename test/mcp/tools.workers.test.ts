import { describe, expect, it } from 'vitest'
import { operations } from '../../tools/index.ts'
import { apiKey, errorOf, legacyClient, modernClient, type ToolResult, textOf } from './clients.ts'

const CLIENTS = { '2026-07-28': modernClient, '2025': legacyClient }

describe.each(Object.entries(CLIENTS))('a %s client', (_, connect) => {
  it('sees the same tools in the same order', async () => {
    const client = await connect(await apiKey('tools'))
    const { tools } = await client.listTools()
    const expected = operations.flatMap(({ tool }) => (tool ? [tool.name] : []))
    expect(tools.map(({ name }) => name)).toEqual(expected)
    await client.close()
  })

  it('gets a result as text and as structure', async () => {
    const client = await connect(await apiKey('tools'))
    const result = (await client.callTool({ name: 'get_workspace', arguments: {} })) as ToolResult
    expect(result.structuredContent).toMatchObject({ id: 'tools', counts: { sources: 0 } })
    expect(JSON.parse(textOf(result))).toEqual(result.structuredContent)
    await client.close()
  })

  it('is told what is wrong with its arguments, and what to do', async () => {
    const client = await connect(await apiKey('tools'))
    const result = await client.callTool({ name: 'get_connector', arguments: { nmae: 'postgres' } })
    expect(errorOf(result)).toMatchObject({ code: 'VALIDATION_FAILED', retryable: false })
    expect(errorOf(result).next).toBeTypeOf('string')
    expect((result as ToolResult)._meta?.['do.airbyte/error']).toMatchObject({
      code: 'VALIDATION_FAILED',
    })
    expect((result as ToolResult).structuredContent).toBeUndefined()
    await client.close()
  })

  it('is told the nearest name of a connector that does not exist', async () => {
    const client = await connect(await apiKey('tools'))
    const arguments_ = { name: 'x', type: 'sample-dat', config: {} }
    const result = await client.callTool({ name: 'create_source', arguments: arguments_ })
    expect(errorOf(result)).toMatchObject({
      code: 'CONNECTOR_NOT_FOUND',
      did_you_mean: expect.arrayContaining(['sample-data']),
    })
    await client.close()
  })

  it('cannot bring a secret through the chat', async () => {
    const client = await connect(await apiKey('tools'))
    const config = {
      host: 'h',
      port: 5432,
      database: 'd',
      username: 'u',
      password: 'hunter2-canary',
    }
    const arguments_ = { name: 'with-secret', type: 'postgres', config }
    const result = await client.callTool({ name: 'create_destination', arguments: arguments_ })
    expect(errorOf(result)).toMatchObject({ code: 'SECRET_IN_ARGUMENTS', field: 'config.password' })
    expect(JSON.stringify(result)).not.toContain('hunter2-canary')
    await client.close()
  })

  it('cannot find what another workspace has', async () => {
    const owner = await connect(await apiKey('tenant-a'))
    const config = { count: 1 }
    const created = (await owner.callTool({
      name: 'create_source',
      arguments: { name: `mine-${_}`, type: 'sample-data', config },
    })) as ToolResult
    const { id } = created.structuredContent as { id: string }
    const stranger = await connect(await apiKey('tenant-b'))
    const result = await stranger.callTool({ name: 'discover_streams', arguments: { source: id } })
    expect(errorOf(result).code).toBe('NOT_FOUND')
    expect(JSON.stringify(result)).not.toContain(`mine-${_}`)
    await Promise.all([owner.close(), stranger.close()])
  })

  it('is refused what its scopes do not allow', async () => {
    const client = await connect(await apiKey('tools', ['workspace:read']))
    const create = client.callTool({
      name: 'create_source',
      arguments: { name: 'no', type: 'sample-data', config: {} },
    })
    await expect(create).rejects.toThrow(/403|scope|authoriz/i)
    await client.close()
  })

  it('gets 413 for arguments of ten megabytes, and goes on', async () => {
    const client = await connect(await apiKey('tools'))
    const huge = client.callTool({
      name: 'create_source',
      arguments: { name: 'x'.repeat(10 * 1024 * 1024), type: 'sample-data', config: {} },
    })
    await expect(huge).rejects.toThrow(/413|larger/)
    expect((await client.listTools()).tools.length).toBeGreaterThan(0)
    await client.close()
  })

  it('sees a fence around what other systems wrote', async () => {
    const client = await connect(await apiKey(`fence-${_}`))
    const config = { count: 3 }
    const source = { name: 's', type: 'sample-data', config }
    await client.callTool({ name: 'create_source', arguments: source })
    const arguments_ = { source: 's', stream: 'users', limit: 2 }
    const preview = { name: 'preview_records', arguments: arguments_ }
    const result = (await client.callTool(preview)) as ToolResult
    expect(Object.keys(result.structuredContent ?? {})[0]).toBe('untrusted_notice')
    const ours = { name: 'search_connectors', arguments: { query: 'postgres' } }
    const found = (await client.callTool(ours)) as ToolResult
    expect(found.structuredContent).not.toHaveProperty('untrusted_notice')
    await client.close()
  })

  it('can narrow what it sees, and only narrow', async () => {
    const url = 'http://localhost:8787/mcp?read_only=true&toolsets=explore,data,nonsense'
    const client = await connect(await apiKey('tools'), { url })
    const { tools } = await client.listTools()
    expect(tools.length).toBeGreaterThan(0)
    for (const tool of tools) expect(tool.annotations?.readOnlyHint).toBe(true)
    const call = client.callTool({ name: 'create_source', arguments: {} })
    await expect(call).rejects.toThrow(/create_source/)
    await client.close()
  })
})

describe('the tools', () => {
  const tokens = (value: unknown) => JSON.stringify(value).length / 4

  it('cost a model little: at most 500 tokens each, 5,000 in all, 25 in number', async () => {
    const client = await modernClient(await apiKey('tools'))
    const { tools } = await client.listTools()
    const costs = tools.map(({ name, description, inputSchema }) => ({
      name,
      tokens: Math.round(tokens({ name, description, inputSchema })),
    }))
    expect(costs.filter((tool) => tool.tokens > 500)).toEqual([])
    expect(costs.reduce((sum, tool) => sum + tool.tokens, 0)).toBeLessThan(5000)
    expect(tools.length).toBeLessThanOrEqual(25)
    await client.close()
  })

  it('say what they are: title, description, hints, strict input, loose output', async () => {
    const client = await modernClient(await apiKey('tools'))
    const { tools } = await client.listTools()
    for (const tool of tools) {
      expect(tool.name).toMatch(/^[a-z][a-z_]{1,63}$/)
      expect(tool.title, tool.name).toBeTruthy()
      expect(tool.description?.length, tool.name).toBeLessThanOrEqual(350)
      expect(tool.annotations?.readOnlyHint, tool.name).toBeTypeOf('boolean')
      expect(tool.annotations?.destructiveHint, tool.name).toBeTypeOf('boolean')
      expect(tool.inputSchema.additionalProperties, tool.name).toBe(false)
      expect(tool.outputSchema?.additionalProperties, tool.name).not.toBe(false)
    }
    await client.close()
  })

  it('look as they did', async () => {
    const client = await modernClient(await apiKey('tools'))
    const { tools } = await client.listTools()
    const shape = tools.map(({ name, annotations, inputSchema }) => ({
      name,
      hints: Object.entries(annotations ?? {}).flatMap(([hint, on]) => (on === true ? [hint] : [])),
      input: Object.keys(inputSchema.properties ?? {}),
    }))
    expect(shape).toMatchSnapshot()
    await client.close()
  })
})
