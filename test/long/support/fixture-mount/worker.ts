/**
 * What the conformance suite asks for by name (`test_simple_text` …) behind the handler and the
 * session object of the product. No part of the product's Worker imports it; nobody is checked at
 * its door, since the product's door is tested with the real mount.
 */
import type { AuthorizedContext } from '../../../../src/http/resource-server.ts'
import { isOurHost } from '../../../../src/identity/origin.ts'
import { handleMcp } from '../../../../src/mcp/handler.ts'
import { McpSession as ProductSession } from '../../../../src/mcp/McpSession.ts'
import { fixtureServer } from './server.ts'

export class McpSession extends ProductSession {
  protected override readonly factory = fixtureServer
}

const CALLER: AuthorizedContext['props'] = {
  tenantId: 'fixture',
  caller: { subject: 'fixture', kind: 'local', role: 'viewer', scopes: ['workspace:read'] },
}

// biome-ignore lint/style/noDefaultExport: the entry of a Worker
export default {
  fetch(request, env, ctx) {
    // The router's check of the name by which it was reached, without the router.
    if (!isOurHost(new URL(request.url), env)) return new Response(null, { status: 421 })
    const authorized = Object.assign(ctx, { props: CALLER }) as AuthorizedContext
    return handleMcp(request, env, authorized, fixtureServer)
  },
} satisfies ExportedHandler<Env>
