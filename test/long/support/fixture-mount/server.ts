import { createRequestStateCodec, McpServer } from '@modelcontextprotocol/server'
import { NOTHING_PUSHED, type ServerFactory } from '../../../../src/mcp/server.ts'
import { registerAsking } from './asking.ts'
import { registerContent } from './content.ts'
import { registerDiagnostics } from './diagnostics.ts'
import { registerPrompts } from './prompts.ts'
import { registerResources } from './resources.ts'

const SECRET = new TextEncoder().encode('a key of the fixture mount, not of anything else')

/** Every feature that the suite has a scenario for, deprecated ones too: the lanes carry them all. */
export const fixtureServer: ServerFactory = () => {
  const state = createRequestStateCodec<{ round: number }>({ key: SECRET, ttlSeconds: 600 })
  const server = new McpServer(
    { name: 'airbyte-fixtures', title: 'Fixtures', version: '0.1.0' },
    {
      capabilities: {
        ...NOTHING_PUSHED,
        logging: {},
        completions: {},
        resources: { ...NOTHING_PUSHED.resources, subscribe: true },
      },
      requestState: { verify: state.verify },
    },
  )
  registerContent(server)
  registerDiagnostics(server)
  registerAsking(server, state)
  registerResources(server)
  registerPrompts(server)
  return server
}
