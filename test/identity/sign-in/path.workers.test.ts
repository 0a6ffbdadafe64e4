import { describe, expect, it } from 'vitest'
import { handleRequest } from '../../../src/http/router.ts'
import { errorOf, type ToolResult } from '../../mcp/clients.ts'
import { authorizeQuery, CALLBACK, pkce, redeem, register } from '../../oauth/oauth-client.ts'
import { Browser, GITHUB, hosted, OIDC, ORIGIN, type Page } from './browser.ts'

const settings = { ...OIDC, ...GITHUB }
const ctx = { waitUntil() {}, passThroughOnException() {}, props: {} } as never
const PROTOCOL = '2026-07-28'

/** What an MCP client does whose person signs in on the way: the token that it ends with. */
async function connect(provider: 'oidc' | 'github', login: string): Promise<string> {
  const browser = new Browser(settings)
  const clientId = await register()
  const { verifier, challenge } = await pkce()
  // A client's state may be longer than a cookie can be.
  const state = 'long'.repeat(2000)
  const asked = await browser.open(`/authorize?${authorizeQuery(clientId, challenge, { state })}`)
  expect(asked.url).toMatch(/\/sign-in\?return_to=/)
  const consent = await browser.signIn(provider, login, fieldOf(asked, 'return_to'))
  expect(consent.url).toMatch(/\/authorize\?/)
  const back = await browser.submit(
    consent.url,
    {
      handle: fieldOf(consent, 'handle'),
      workspace: fieldOf(consent, 'workspace'),
      access: 'owner',
      decision: 'approve',
    },
    new RegExp(`^${CALLBACK}`),
  )
  const parameters = new URL(back.url).searchParams
  expect(parameters.get('state')).toBe(state)
  const { body } = await redeem(parameters.get('code') ?? '', clientId, verifier)
  return body.access_token
}

function fieldOf({ html }: Page, name: string): string {
  const [, value = ''] = new RegExp(`name="${name}" value="([^"]*)"`).exec(html) ?? []
  return value.replaceAll('&amp;', '&')
}

async function callTool(token: string, name: string, input: object = {}) {
  const request = new Request(`${ORIGIN}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': PROTOCOL,
      'mcp-method': 'tools/call',
      'mcp-name': name,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name,
        arguments: input,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': PROTOCOL,
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }),
  })
  const text = await (await handleRequest(request, hosted(settings), ctx)).text()
  return (JSON.parse(text) as { result: ToolResult }).result
}

describe('from an MCP client to a person at a provider and back', () => {
  it('gives each person tools in a workspace of their own, unseen by the other', async () => {
    const ann = await connect('oidc', 'ann-of-the-path')
    const ben = await connect('github', 'ann')
    const source = { name: 'only-anns', type: 'sample-data', config: {} }
    const sources = async (token: string) =>
      (await callTool(token, 'get_workspace')).structuredContent?.counts
    const made = await callTool(ann, 'create_source', source)
    expect(made.structuredContent).toMatchObject({ name: 'only-anns' })
    expect(await sources(ann)).toMatchObject({ sources: 1 })
    expect(await sources(ben)).toMatchObject({ sources: 0 })
    const stolen = await callTool(ben, 'discover_streams', { source: 'only-anns' })
    expect(errorOf(stolen).code).toBe('NOT_FOUND')
  })

  it('shows the consent to another person after "Use another account"', async () => {
    const browser = new Browser(settings)
    const query = authorizeQuery(await register(), (await pkce()).challenge)
    const path = `/authorize?${query}`
    const first = await browser.signIn('oidc', 'first', path)
    expect(first.html).toContain('Signed in as first')
    const asked = await browser.submit('/sign-out', { return_to: fieldOf(first, 'return_to') })
    const second = await browser.signIn('github', 'ann', fieldOf(asked, 'return_to'))
    expect(second.html).toContain('Signed in as Ann of GitHub')
  })

  it('asks to sign in again when the session ended before the answer', async () => {
    const browser = new Browser(settings)
    const query = authorizeQuery(await register(), (await pkce()).challenge)
    const consent = await browser.signIn('oidc', 'late', `/authorize?${query}`)
    await browser.copy().submit('/sign-out', {})
    const fields = { handle: fieldOf(consent, 'handle'), access: 'owner', decision: 'approve' }
    const page = await browser.submit(consent.url, fields)
    expect(page.url).toMatch(/\/sign-in\?return_to=%2Fauthorize/)
  })
})
