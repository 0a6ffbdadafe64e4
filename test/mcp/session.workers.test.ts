import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { workspaceObject } from '../../src/identity/objects.ts'
import { SCOPES } from '../../src/operations/caller.ts'
import { call, MCP } from '../oauth/oauth-client.ts'
import { apiKey, legacyClient } from './clients.ts'

const sessionObject = (tenant: string, id: string) =>
  env.MCP_SESSION.getByName(`${tenant}:tester:${id}`)

function post(token: string, sessionId: string, message: object) {
  return call('/mcp', {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-session-id': sessionId,
      'mcp-protocol-version': '2025-06-18',
    },
    body: JSON.stringify(message),
  })
}

const LIST = { jsonrpc: '2.0', id: 7, method: 'tools/list' }

async function open(tenant: string) {
  const token = await apiKey(tenant)
  const client = await legacyClient(token)
  const id = client.transport?.sessionId ?? ''
  expect(id).toMatch(/^[0-9a-f-]{36}$/)
  return { token, client, id }
}

describe('a session of a 2025-era client', () => {
  it('goes on after its object was evicted', async () => {
    const { client, id } = await open('evicted')
    expect((await client.listTools()).tools.length).toBeGreaterThan(0)
    await evictDurableObject(sessionObject('evicted', id))
    expect((await client.listTools()).tools.length).toBeGreaterThan(0)
    const result = await client.callTool({ name: 'get_workspace', arguments: {} })
    expect(result.structuredContent).toMatchObject({ id: 'evicted' })
    await client.close()
  })

  it("is worth nothing with another workspace's token", async () => {
    const { id, client } = await open('session-a')
    const stranger = await apiKey('session-b')
    const response = await post(stranger, id, LIST)
    expect(response.status).toBe(404)
    await response.text()
    await client.close()
  })

  it("is worth nothing with another person's token of the same workspace", async () => {
    const { id, client } = await open('session-c')
    const other = await apiKey('session-c', SCOPES, 'somebody-else')
    const response = await post(other, id, LIST)
    expect(response.status).toBe(404)
    await response.text()
    await client.close()
  })

  it('gives a weaker token of the same person no more than that token may', async () => {
    const { id, client } = await open('weaker')
    const weak = await apiKey('weaker', ['workspace:read'])
    const response = await post(weak, id, {
      jsonrpc: '2.0',
      id: 8,
      method: 'tools/call',
      params: {
        name: 'create_source',
        arguments: { name: 'no', type: 'sample-data', config: {} },
      },
    })
    expect(response.status).toBe(403)
    expect(response.headers.get('www-authenticate')).toContain('workspace:write')
    await response.text()
    await client.close()
  })

  it('ends with the membership of its person, in the middle of its work', async () => {
    const { client, id, token } = await open('removed')
    const source = { name: 's', type: 'sample-data', config: {} }
    expect(
      (await client.callTool({ name: 'create_source', arguments: source })).isError,
    ).toBeFalsy()
    await workspaceObject(env, 'removed').dropMember('tester')
    await expect(client.callTool({ name: 'get_workspace', arguments: {} })).rejects.toThrow()
    const response = await post(token, id, LIST)
    expect(response.status).toBe(401)
    await response.text()
    // Nor does the session let in another of the same workspace.
    const other = await post(await apiKey('removed', SCOPES, 'somebody-else'), id, LIST)
    expect(other.status).toBe(404)
    await other.text()
    await client.close()
  })

  it.each(['', 'not-a-uuid', '../../x', '0'.repeat(5000)])(
    'does not exist under the id %j',
    async (id) => {
      const response = await post(await apiKey('ids'), id, LIST)
      expect([400, 404]).toContain(response.status)
      await response.text()
    },
  )

  it('ends when the client says so', async () => {
    const { token, client, id } = await open('ended')
    await (client.transport as unknown as { terminateSession(): Promise<void> }).terminateSession()
    const response = await post(token, id, LIST)
    expect(response.status).toBe(404)
    await response.text()
    await client.close()
  })

  it('is erased when nobody used it for a day, and not before', async () => {
    const { client, id } = await open('idle')
    const stub = sessionObject('idle', id)
    await runInDurableObject(stub, (session) => session.expire())
    expect((await client.listTools()).tools.length).toBeGreaterThan(0)
    await runInDurableObject(stub, (_, { storage }) => {
      storage.kv.put('lastUsed', Date.now() - 86_400_001)
    })
    await runInDurableObject(stub, (session) => session.expire()).catch(() => {})
    await expect(client.listTools()).rejects.toThrow(/404|not found/i)
    await client.close()
  })

  it('offers no standing stream, which would keep it awake', async () => {
    const { token, id, client } = await open('get')
    const response = await call('/mcp', {
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'text/event-stream',
        'mcp-session-id': id,
      },
    })
    expect(response.status).toBe(405)
    await client.close()
  })
})

describe('the door', () => {
  it('refuses pages of other sites', async () => {
    const response = await call('/mcp', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await apiKey('door')}`,
        'content-type': 'application/json',
        origin: 'https://evil.example',
      },
      body: JSON.stringify(LIST),
    })
    expect(response.status).toBe(403)
  })

  it('sends requests for another host name to its own', async () => {
    const { handleRequest } = await import('../../src/http/router.ts')
    const ctx = { waitUntil() {}, passThroughOnException() {}, props: {} } as never
    const misdirected = await handleRequest(
      new Request('http://rebound.example:8787/mcp', { method: 'POST', body: '{}' }),
      env,
      ctx,
    )
    expect(misdirected.status).toBe(421)
    const page = await handleRequest(new Request('http://rebound.example/'), env, ctx)
    expect(page.headers.get('location')).toBe('http://localhost:8787/')
  })

  it('says that a body is not JSON', async () => {
    const response = await call('/mcp', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await apiKey('door')}`,
        'content-type': 'application/json',
      },
      body: '{"jsonrpc":',
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: -32700 } })
  })

  it.each([
    '/agents/tenant-agent/x',
    '/parties/mcp-session/x',
    '/agents/mcp-session/x/get-messages',
  ])('has no way to an object at %s', async (path) => expect((await call(path)).status).toBe(404))

  it('names its metadata for a resource that asks without a token', async () => {
    const response = await call('/mcp', { method: 'POST', body: '{}' })
    expect(response.headers.get('www-authenticate')).toContain(new URL(MCP).pathname)
  })
})
