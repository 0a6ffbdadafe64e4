import { describe, expect, it } from 'vitest'
import { apiKey, legacyClient, modernClient, type ToolResult } from './clients.ts'

describe.each([
  ['2026-07-28', modernClient],
  ['2025', legacyClient],
])('a %s client', (era, connect) => {
  it('reads by address what tools read', async () => {
    const client = await connect(await apiKey(`resources-${era}`))
    const { resourceTemplates } = await client.listResourceTemplates()
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
      'airbyte://connectors/{kind}/{name}/spec',
      'airbyte://connections/{connection}',
      'airbyte://syncs/{sync}',
    ])
    const { contents } = await client.readResource({
      uri: 'airbyte://connectors/source/sample-data/spec',
    })
    const byAddress = JSON.parse((contents[0] as { text: string }).text)
    const byTool = (await client.callTool({
      name: 'get_connector',
      arguments: { kind: 'source', name: 'sample-data' },
    })) as ToolResult
    expect(byAddress).toEqual(byTool.structuredContent)
    await client.close()
  })

  it('is told which connector it may have meant', async () => {
    const client = await connect(await apiKey(`resources-${era}`))
    const read = client.readResource({ uri: 'airbyte://connectors/source/sample-dat/spec' })
    await expect(read).rejects.toThrow(/sample-data/)
    await client.close()
  })

  it('finds the recipes', async () => {
    const client = await connect(await apiKey(`resources-${era}`))
    const { prompts } = await client.listPrompts()
    expect(prompts.map(({ name }) => name)).toEqual([
      ...['set_up_pipeline', 'debug_sync', 'build_connector', 'query_data'],
    ])
    const { messages } = await client.getPrompt({
      name: 'debug_sync',
      arguments: { connection: 'orders' },
    })
    expect(JSON.stringify(messages)).toContain('orders')
    await client.close()
  })

  it('is told what can stand in an address or a prompt, of its own workspace only', async () => {
    const client = await connect(await apiKey(`completions-${era}`))
    const source = { name: 'my-sample', type: 'sample-data', config: {} }
    await client.callTool({ name: 'create_source', arguments: source })
    const complete = async (ref: object, name: string, value: string, given = {}) => {
      const params = { ref, argument: { name, value }, context: { arguments: given } }
      return (await client.complete(params as Parameters<typeof client.complete>[0])).completion
        .values
    }
    const spec = { type: 'ref/resource', uri: 'airbyte://connectors/{kind}/{name}/spec' }
    expect(await complete(spec, 'name', 'post', { kind: 'source' })).toContain('postgres')
    expect(await complete(spec, 'kind', 'd')).toEqual(['destination'])
    const prompt = { type: 'ref/prompt', name: 'set_up_pipeline' }
    expect(await complete(prompt, 'source', 'my')).toEqual(['my-sample'])
    expect(await complete(prompt, 'goal', 'x')).toEqual([])
    await expect(complete({ type: 'ref/prompt', name: 'nope' }, 'x', '')).rejects.toThrow(/nope/)
    await client.close()

    const stranger = await connect(await apiKey(`completions-other-${era}`))
    const { completion } = await stranger.complete({
      ...{ ref: { type: 'ref/prompt', name: 'set_up_pipeline' } },
      argument: { name: 'source', value: '' },
    })
    expect(completion.values).toEqual([])
    await stranger.close()
  })

  it('gets an icon that it need not fetch from anywhere', async () => {
    const client = await connect(await apiKey(`resources-${era}`))
    const [icon] = client.getServerVersion()?.icons ?? []
    expect(icon).toMatchObject({ mimeType: 'image/svg+xml', src: expect.stringMatching(/^data:/) })
    await client.close()
  })

  it('is introduced in at most 2,000 characters', async () => {
    const client = await connect(await apiKey(`resources-${era}`))
    const instructions = client.getInstructions() ?? ''
    expect(instructions).toContain('search_connectors')
    expect(instructions.length).toBeLessThanOrEqual(2000)
    const { tools } = await client.listTools()
    for (const name of instructions.match(/\b[a-z]+_[a-z_]+\b/g) ?? []) {
      if (['awaiting_credentials', 'wait_seconds', 'untrusted_'].includes(name)) continue
      expect(
        tools.map((tool) => tool.name),
        name,
      ).toContain(name)
    }
    await client.close()
  })
})
