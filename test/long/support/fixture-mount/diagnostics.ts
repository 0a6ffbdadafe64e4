import {
  fromJsonSchema,
  type JsonSchemaType,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { say } from './content.ts'

const pause = () => new Promise((resolve) => setTimeout(resolve, 50))

/** Uses the vocabulary of JSON Schema 2020-12 that has to reach the client unchanged. */
const SCHEMA_2020_12 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
} as const

/** A parameter that a gateway may read in `Mcp-Param-Region` (SEP-2243). */
const IN_A_HEADER = {
  type: 'object',
  properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
  required: ['region'],
}

/** Progress, logs, errors, dropped streams, and what the stateless scenario tries. */
export function registerDiagnostics(server: McpServer): void {
  const tool = (name: string, run: (ctx: ServerContext) => Promise<void> | void) =>
    server.registerTool(name, { description: `Runs ${name}.` }, async (ctx) => {
      await run(ctx)
      return say(`${name} ran.`)
    })

  tool('test_error_handling', () => {
    throw new Error('This tool intentionally returns an error for testing')
  })
  tool('test_tool_with_progress', async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        const params = { progressToken, progress, total: 100 }
        await mcpReq.notify({ method: 'notifications/progress', params })
      }
      await pause()
    }
  })
  tool('test_tool_with_logging', async ({ mcpReq }) => {
    for (const step of ['execution started', 'processing data', 'execution completed']) {
      await mcpReq.log('info', `Tool ${step}`)
      await pause()
    }
  })
  tool('test_logging_tool', ({ mcpReq }) => mcpReq.log('info', 'Only for those who asked for it'))
  tool('test_reconnection', async ({ http }) => {
    http?.closeSSE?.()
    await pause()
  })
  server.registerTool(
    'json_schema_2020_12_tool',
    {
      description: 'Tool with JSON Schema 2020-12 features.',
      inputSchema: fromJsonSchema(SCHEMA_2020_12 as unknown as JsonSchemaType),
    },
    () => say('json_schema_2020_12_tool ran.'),
  )
  server.registerTool(
    'test_header_parameter',
    {
      description: 'Has an argument that stands in a header too.',
      inputSchema: fromJsonSchema(IN_A_HEADER as JsonSchemaType),
    },
    () => say('test_header_parameter ran.'),
  )
}
