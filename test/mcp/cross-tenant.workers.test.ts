import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { CANARY, intrusions, victim } from '../operations/cross-tenant.ts'
import { apiKey, errorOf, legacyClient, modernClient, type ToolResult } from './clients.ts'

let ids: Awaited<ReturnType<typeof victim>>
beforeAll(async () => {
  ids = await victim(env, 'mcp-victim')
})

describe.each([
  ['2026-07-28', modernClient],
  ['2025', legacyClient],
])("another workspace's ids, by a %s client", (era, connect) => {
  it('are found by no tool, and nothing leaks', async () => {
    const client = await connect(await apiKey(`mcp-intruder-${era}`))
    const tried = intrusions(ids).filter(({ operation }) => operation.tool)
    expect(tried.length).toBeGreaterThan(10)
    for (const { operation, input } of tried) {
      const name = operation.tool?.name ?? ''
      const result = (await client.callTool({ name, arguments: input })) as ToolResult
      const label = `${name} ${JSON.stringify(input)}`
      expect(JSON.stringify(result), label).not.toContain(CANARY)
      expect(errorOf(result).code, label).toBe('NOT_FOUND')
    }
    await client.close()
  })

  it('are found by no resource', async () => {
    const client = await connect(await apiKey(`mcp-intruder-${era}`))
    for (const uri of [
      `airbyte://connections/${ids.connection}`,
      `airbyte://connections/${CANARY}-c`,
      `airbyte://syncs/${ids.sync}`,
    ]) {
      await expect(client.readResource({ uri }), uri).rejects.toThrow(/NOT_FOUND|no /i)
    }
    await client.close()
  })
})
