/** How each built-in connector signs in, beside what its vendor's documentation asks for. */
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { validateConfig } from '../../../src/core/config-validation.ts'
import type { JsonObject } from '../../../src/protocol/index.ts'
import type { Spec } from '../../../src/runtime/contract.ts'
import { type OAuthDeclaration, oauthDeclaration } from '../../../src/runtime/oauth/declaration.ts'
import { leadsToVendor } from '../../../src/runtime/oauth/hosts.ts'
import { consentUrl, tokenRequest } from '../../../src/runtime/oauth/requests.ts'
import { configOfTokens, unsealedTokens } from '../../../src/runtime/oauth/tokens.ts'
import { missingSecrets, secretPaths } from '../../../src/vault/index.ts'
import { CONNECTORS, loadConnector } from './declarative/connector.ts'

interface Vendor {
  /** As the config is before the person signs in. */
  config: JsonObject
  authorize: string
  /** Besides client, redirect URI and state. */
  asks: Record<string, string | RegExp>
  pkce?: true
  token: string
  /** Fields of the token request, besides the code; the client's secret goes by `Basic` where it is none. */
  sends: string[]
  json?: true
  /** An answer in the form that the vendor documents. */
  answer: object
  /** What of it is in the config then. */
  keeps: JsonObject
}

const ALL = ['client_id', 'client_secret', 'grant_type', 'redirect_uri']
const CLIENT = { id: 'an id', secret: 'a secret' }
const OURS = { client_id: CLIENT.id, client_secret: CLIENT.secret }

const VENDORS: Record<string, Vendor> = {
  github: {
    config: { repositories: ['octocat/hello-world'] },
    authorize: 'https://github.com/login/oauth/authorize',
    asks: { scope: 'repo read:org read:project read:user read:discussion' },
    pkce: true,
    token: 'https://github.com/login/oauth/access_token',
    sends: ['client_id', 'client_secret', 'redirect_uri', 'code_verifier'],
    answer: { access_token: 'gho_1', scope: 'repo', token_type: 'bearer' },
    keeps: { credentials: { option_title: 'OAuth Credentials', access_token: 'gho_1' } },
  },
  gitlab: {
    config: { api_url: 'gitlab.com' },
    authorize: 'https://gitlab.com/oauth/authorize',
    asks: { response_type: 'code', scope: 'read_api' },
    pkce: true,
    token: 'https://gitlab.com/oauth/token',
    sends: [...ALL, 'code_verifier'],
    answer: { access_token: 'a', token_type: 'bearer', expires_in: 7200, refresh_token: 'r' },
    keeps: {
      credentials: {
        ...{ auth_type: 'oauth2.0', access_token: 'a', refresh_token: 'r', ...OURS },
        token_expiry_date: '2026-01-01T02:00:00.000Z',
      },
    },
  },
  hubspot: {
    config: {},
    authorize: 'https://app.hubspot.com/oauth/authorize',
    asks: { scope: /^oauth crm\.objects\.contacts\.read /, optional_scope: /\bforms\b/ },
    token: 'https://api.hubapi.com/oauth/v1/token',
    sends: ALL,
    answer: { token_type: 'bearer', refresh_token: 'r', access_token: 'a', expires_in: 1800 },
    keeps: {
      credentials: { credentials_title: 'OAuth Credentials', refresh_token: 'r', ...OURS },
    },
  },
  salesforce: {
    config: { instance_url: 'https://acme.my.salesforce.com', is_sandbox: true },
    authorize: 'https://test.salesforce.com/services/oauth2/authorize',
    asks: { response_type: 'code', scope: 'api refresh_token' },
    pkce: true,
    token: 'https://test.salesforce.com/services/oauth2/token',
    sends: [...ALL, 'code_verifier'],
    answer: {
      access_token: 'a',
      refresh_token: 'r',
      instance_url: 'https://acme.my.salesforce.com',
    },
    keeps: { refresh_token: 'r', ...OURS },
  },
  shopify: {
    config: { shop: 'acme.myshopify.com' },
    authorize: 'https://acme.myshopify.com/admin/oauth/authorize',
    asks: { scope: /^read_content,read_customers,/ },
    token: 'https://acme.myshopify.com/admin/oauth/access_token',
    sends: ['client_id', 'client_secret'],
    answer: { access_token: 'shpat_1', scope: 'read_orders' },
    keeps: { credentials: { auth_method: 'oauth2.0', access_token: 'shpat_1' } },
  },
  slack: {
    config: { start_date: '2026-01-01T00:00:00Z' },
    authorize: 'https://slack.com/oauth/v2/authorize',
    asks: { scope: /^channels:history,channels:join,/ },
    token: 'https://slack.com/api/oauth.v2.access',
    sends: ['client_id', 'client_secret', 'redirect_uri'],
    answer: { ok: true, access_token: 'xoxb-1', token_type: 'bot', team: { id: 'T1' } },
    keeps: {
      credentials: {
        ...{ option_title: 'Default OAuth2.0 authorization', access_token: 'xoxb-1', ...OURS },
      },
    },
  },
  notion: {
    config: {},
    authorize: 'https://api.notion.com/v1/oauth/authorize',
    asks: { response_type: 'code', owner: 'user' },
    token: 'https://api.notion.com/v1/oauth/token',
    sends: ['grant_type', 'redirect_uri'],
    json: true,
    answer: { access_token: 'ntn_1', workspace_id: 'w', owner: { type: 'user' } },
    keeps: { credentials: { auth_type: 'OAuth2.0', access_token: 'ntn_1', ...OURS } },
  },
  'zendesk-support': {
    config: { subdomain: 'acme' },
    authorize: 'https://acme.zendesk.com/oauth/authorizations/new',
    asks: { response_type: 'code', scope: 'read' },
    pkce: true,
    token: 'https://acme.zendesk.com/oauth/tokens',
    sends: [...ALL, 'scope', 'code_verifier'],
    json: true,
    answer: { access_token: 'a', refresh_token: 'r', token_type: 'bearer', scope: 'read' },
    keeps: {
      credentials: {
        ...{ credentials: 'oauth2.0_refresh', access_token: 'a', refresh_token: 'r', ...OURS },
      },
    },
  },
  'google-sheets': {
    config: { spreadsheet_id: 'x' },
    authorize: 'https://accounts.google.com/o/oauth2/v2/auth',
    asks: {
      ...{ response_type: 'code', access_type: 'offline', prompt: 'consent' },
      scope: 'https://www.googleapis.com/auth/spreadsheets.readonly',
    },
    pkce: true,
    token: 'https://oauth2.googleapis.com/token',
    sends: [...ALL, 'code_verifier'],
    answer: { access_token: 'a', expires_in: 3920, refresh_token: 'r', token_type: 'Bearer' },
    keeps: { credentials: { auth_type: 'Client', refresh_token: 'r', ...OURS } },
  },
  stripe: {
    config: { account_id: 'acct_0' },
    authorize: 'https://connect.stripe.com/oauth/authorize',
    asks: { response_type: 'code', scope: 'read_only' },
    token: 'https://connect.stripe.com/oauth/token',
    sends: ['client_secret', 'grant_type'],
    answer: { access_token: 'sk_1', scope: 'read_only', stripe_user_id: 'acct_1' },
    keeps: { client_secret: 'sk_1', account_id: 'acct_1' },
  },
}

const loaded = new Map<string, { spec: Spec; declaration: OAuthDeclaration } | undefined>()

function signsIn(name: string) {
  if (!loaded.has(name)) {
    const spec = loadConnector(name, {}).source.spec()
    const declaration = oauthDeclaration(spec)
    loaded.set(name, declaration && { spec, declaration })
  }
  return loaded.get(name)
}

const DANCE = {
  client: CLIENT,
  redirectUri: 'https://here.example/connect/x/callback',
  ...{ state: 'the-state', verifier: 'the-verifier' },
}

it('every connector that lets people sign in stands here', () => {
  const declarative = readdirSync(CONNECTORS).filter((name) =>
    readdirSync(`${CONNECTORS}/${name}`).includes('manifest.yaml'),
  )
  expect(declarative.filter(signsIn).sort()).toEqual(Object.keys(VENDORS).sort())
})

describe.each(Object.entries(VENDORS))('signing in at %s', (name, vendor) => {
  const { spec, declaration } = signsIn(name) as NonNullable<ReturnType<typeof signsIn>>
  const dance = { ...DANCE, config: vendor.config }

  it('asks for what its documentation names, and a client of everybody is safe there', () => {
    const url = consentUrl(declaration, dance)
    expect(url.origin + url.pathname).toBe(vendor.authorize)
    const { code_challenge, code_challenge_method, ...asked } = Object.fromEntries(url.searchParams)
    expect([code_challenge?.length, code_challenge_method]).toEqual(
      vendor.pkce ? [43, 'S256'] : [undefined, undefined],
    )
    const { redirectUri, state } = DANCE
    const everywhere = { client_id: CLIENT.id, redirect_uri: redirectUri, state }
    for (const [key, value] of Object.entries({ ...everywhere, ...vendor.asks })) {
      if (typeof value === 'string') expect(asked[key], key).toBe(value)
      else expect(asked[key], key).toMatch(value)
    }
    expect(Object.keys(asked)).toHaveLength(3 + Object.keys(vendor.asks).length)
    expect(leadsToVendor(spec, declaration, vendor.config)).toBe(true)
  })

  it('sends the code as its documentation wants it', () => {
    const { url, headers, body } = tokenRequest(declaration, dance, 'the-code')
    expect(url.href).toBe(vendor.token)
    expect(headers['content-type']).toBe(
      vendor.json ? 'application/json' : 'application/x-www-form-urlencoded',
    )
    const fields: Record<string, string> = vendor.json
      ? JSON.parse(body)
      : Object.fromEntries(new URLSearchParams(body))
    expect(Object.keys(fields).sort()).toEqual(['code', ...vendor.sends].sort())
    expect(fields.code).toBe('the-code')
    if (vendor.pkce) expect(fields.code_verifier).toBe('the-verifier')
    if (vendor.sends.includes('client_secret')) expect(fields.client_secret).toBe(CLIENT.secret)
    else expect(headers.authorization).toBe(`Basic ${btoa(`${CLIENT.id}:${CLIENT.secret}`)}`)
  })

  it('leaves a config that is complete, valid and sealed', () => {
    const now = Date.parse('2026-01-01T00:00:00Z')
    const got = configOfTokens(declaration, vendor.answer, CLIENT, now)
    expect(got).toEqual(vendor.keeps)
    const schema = spec.connectionSpecification
    const config = validateConfig(schema, { ...vendor.config, ...got })
    expect(missingSecrets(schema, config)).toEqual([])
    expect(unsealedTokens(declaration, secretPaths(schema))).toEqual([])
  })
})

it('a client of everybody does not follow a config to another host', () => {
  const elsewhere: [string, JsonObject][] = [
    ['github', { api_url: 'https://evil.example/api/v3' }],
    ['gitlab', { api_url: 'evil.example' }],
    ['gitlab', { api_url: 'gitlab.com@evil.example' }],
    ['gitlab', { api_url: 'http://gitlab.com.evil.example' }],
    ['zendesk-support', { subdomain: 'evil.example/' }],
  ]
  for (const [name, config] of elsewhere) {
    const { spec, declaration } = signsIn(name) as NonNullable<ReturnType<typeof signsIn>>
    expect(leadsToVendor(spec, declaration, config), JSON.stringify(config)).toBe(false)
  }
})
