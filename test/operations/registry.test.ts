import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { inputSchema } from '../../src/mcp/schemas.ts'
import { SCOPES } from '../../src/operations/caller.ts'
import { operations } from '../../tools/index.ts'

const tools = operations.flatMap((operation) =>
  operation.tool ? [{ operation, tool: operation.tool }] : [],
)
const schemaOf = (schema: z.ZodType, io: 'input' | 'output') =>
  z.toJSONSchema(schema, { io, unrepresentable: 'any' })
/** As clients see a tool: four characters a token. */
const tokensOf = ({ tool, operation }: (typeof tools)[number]) => {
  const { name, title, description } = tool
  const schema = inputSchema(operation.input)['~standard'].jsonSchema
  const published = schema.input({ target: 'draft-2020-12' })
  return JSON.stringify({ name, title, description, inputSchema: published }).length / 4
}

it('gives no two operations the same id, route, command or tool name', () => {
  const unique = (of: string[]) => expect(of).toEqual([...new Set(of)])
  unique(operations.map(({ id }) => id))
  unique(operations.map(({ http }) => `${http.method} ${http.path}`))
  unique(operations.map(({ cli }) => cli.command))
  unique(tools.map(({ tool }) => tool.name))
})

describe.each(operations.map((operation) => [operation.id, operation] as const))('%s', (_, op) => {
  const fields = Object.keys(op.input.shape)

  it('has every face: a route, a command, and a method path for the SDK', () => {
    expect(op.http.path).toMatch(/^(\/:?[a-zA-Z-]+)+$/)
    expect(op.cli.command).toMatch(/^[a-z]+( [a-z-]+){0,2}$/)
    expect(op.id).toMatch(/^[a-z]+(\.[a-zA-Z]+){1,2}$/)
  })

  it('names only fields that exist', () => {
    const inPath = [...op.http.path.matchAll(/:(\w+)/g)].map(([, name]) => name)
    const named = [...inPath, ...op.cli.positional, ...Object.keys(op.refs ?? {})]
    expect(fields).toEqual(expect.arrayContaining(named))
  })

  it('is strict about input and open about output', () => {
    expect(schemaOf(op.input, 'input').additionalProperties).toBe(false)
    expect(schemaOf(op.output, 'output').additionalProperties).toEqual({})
    expect(op.input.safeParse({ notAField: 1 }).success).toBe(false)
  })

  it('says what it does, what it needs and what it changes', () => {
    expect(op.title.length).toBeGreaterThan(3)
    expect(op.description.length).toBeLessThanOrEqual(350)
    expect(op.scopes.length).toBeGreaterThan(0)
    expect(SCOPES).toEqual(expect.arrayContaining([...op.scopes]))
    const { readOnly, destructive } = op.effect
    expect(readOnly && destructive).toBe(false)
    if (destructive) expect(op.scopes.join()).toMatch(/workspace:(write|delete|admin)/)
    if (op.http.method === 'GET') expect(readOnly).toBe(true)
  })
})

describe('the tools', () => {
  it('do not offer settings that only few connections need', () => {
    for (const { operation } of tools) {
      const schema = inputSchema(operation.input)['~standard'].jsonSchema
      expect(JSON.stringify(schema.input({ target: 'draft-2020-12' }))).not.toContain('sliceMs')
    }
  })

  it('are at most twenty-five, with short names and descriptions', () => {
    expect(tools.length).toBeLessThanOrEqual(25)
    for (const { tool } of tools) {
      expect(tool.name).toMatch(/^[a-z_]{3,64}$/)
      expect(tool.title.length).toBeGreaterThan(3)
      expect(tool.description.length).toBeLessThanOrEqual(350)
    }
  })

  it('cost at most 500 tokens each, 250 in the median and 5000 in all', () => {
    const costs = tools.map((entry) => ({ name: entry.tool.name, tokens: tokensOf(entry) }))
    const sorted = costs.map(({ tokens }) => tokens).sort((a, b) => a - b)
    expect(costs.filter(({ tokens }) => tokens > 500)).toEqual([])
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(250)
    expect(sorted.reduce((sum, tokens) => sum + tokens, 0)).toBeLessThanOrEqual(5000)
  })
})
