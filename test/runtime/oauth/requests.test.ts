import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { oauthDeclaration } from '../../../src/runtime/oauth/declaration.ts'
import { leadsToVendor } from '../../../src/runtime/oauth/hosts.ts'
import { jinjaOf } from '../../../src/runtime/oauth/older-templates.ts'
import { consentUrl, tokenRequest } from '../../../src/runtime/oauth/requests.ts'
import { configOfTokens, unsealedTokens } from '../../../src/runtime/oauth/tokens.ts'

const INPUT = {
  consent_url:
    'https://{{ shop }}.vendor.example/authorize?response_type=code&{{ client_id_param }}&{{ redirect_uri_param }}&{{ scope_param }}&{{ state_param }}&code_challenge={{ state_value | codeChallengeS256 }}',
  access_token_url: 'https://{{ shop }}.vendor.example/token',
  access_token_params: {
    '{{ auth_code_key }}': '{{ auth_code_value }}',
    code_verifier: '{{ state_value }}',
    app: '{{ client_id_value }}',
  },
  access_token_headers: {
    Authorization: "Basic {{ (client_id_value ~ ':' ~ client_secret_value) | b64encode }}",
  },
  scopes: [{ scope: 'read:all' }, { scope: 'offline' }],
  auth_code_key: 'auth_code',
}

function specOf(input: object = {}, more: object = {}) {
  return {
    connectionSpecification: { type: 'object', properties: { shop: { type: 'string' } } },
    advanced_auth: {
      auth_flow_type: 'oauth2.0',
      predicate_key: ['credentials', 'auth_type'],
      predicate_value: 'OAuth',
      oauth_config_specification: {
        oauth_user_input_from_connector_config_specification: {
          properties: { shop: { type: 'string', path_in_connector_config: ['shop'] } },
        },
        oauth_connector_input_specification: { ...INPUT, ...input },
        complete_oauth_output_specification: {
          properties: {
            refresh_token: {
              path_in_connector_config: ['credentials', 'refresh_token'],
              path_in_oauth_response: ['tokens', 'refresh'],
            },
            token_expiry_date: { path_in_connector_config: ['credentials', 'expires'] },
          },
        },
        complete_oauth_server_output_specification: {
          properties: {
            client_id: { path_in_connector_config: ['credentials', 'client_id'] },
            client_secret: { path_in_connector_config: ['credentials', 'client_secret'] },
          },
        },
        ...more,
      },
    },
  } as never
}

function declared(input: object = {}) {
  const declaration = oauthDeclaration(specOf(input))
  if (!declaration) throw new Error('nothing declared')
  return declaration
}

const DANCE = {
  config: { shop: 'acme' },
  client: { id: 'the id', secret: 'the secret' },
  redirectUri: 'https://here.example/connect/shop/callback',
  state: 'the-state',
  verifier: 'the-verifier',
}

describe('the way to the vendor', () => {
  it('tells client, redirect URI, scopes, state and challenge, and no secret', () => {
    const { origin, pathname, searchParams, href } = consentUrl(declared(), DANCE)
    expect(origin + pathname).toBe('https://acme.vendor.example/authorize')
    expect(Object.fromEntries(searchParams)).toEqual({
      response_type: 'code',
      client_id: 'the id',
      redirect_uri: DANCE.redirectUri,
      scope: 'read:all offline',
      state: 'the-state',
      code_challenge: createHash('sha256').update('the-verifier').digest('base64url'),
    })
    expect(href).not.toMatch(/the.secret|the.verifier/)
  })

  it('never tells the secret, even where a template asks for it', () => {
    const declaration = declared({ consent_url: 'https://v.example/?s={{ client_secret_value }}' })
    expect(consentUrl(declaration, DANCE).search).toBe('?s=')
  })

  it('is refused where the config makes no address of it', () => {
    const declaration = declared({ consent_url: '{{ shop }}' })
    expect(() => consentUrl(declaration, DANCE)).toThrow(/no address/)
  })
})

describe('the token request', () => {
  it('is JSON where parameters are named, with the verifier in place of the state', () => {
    const { url, headers, body } = tokenRequest(declared(), DANCE, 'the-code')
    expect(url.href).toBe('https://acme.vendor.example/token')
    expect(headers).toMatchObject({
      accept: 'application/json',
      'content-type': 'application/json',
      authorization: `Basic ${btoa('the id:the secret')}`,
    })
    expect(JSON.parse(body)).toEqual({
      ...{ auth_code: 'the-code', code_verifier: 'the-verifier', app: 'the id' },
    })
  })

  it('is a form where the headers say so, or nothing is named', () => {
    const type = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const form = tokenRequest(declared({ access_token_headers: type }), DANCE, 'a&b')
    expect(new URLSearchParams(form.body).get('auth_code')).toBe('a&b')
    const bare = tokenRequest(declared({ access_token_params: undefined }), DANCE, 'x')
    expect(bare.body).toBe('')
    expect(bare.headers['content-type']).toBe(type['Content-Type'])
  })
})

describe('what older manifests nest', () => {
  it.each([
    ['{{ {{redirect_uri_value}} | urlEncoder }}', '{{ (redirect_uri_value) | urlencode }}'],
    [
      'Basic {{ {{ client_id_value }}:{{ client_secret_value }} | base64Encoder }}',
      'Basic {{ (client_id_value ~ ":" ~ client_secret_value) | base64encode }}',
    ],
    ['c={{ {{state_value}} | codeChallengeS256 }}', 'c={{ code_challenge_value }}'],
    ['{{client_id_key}}={{client_id_value}}', '{{client_id_key}}={{client_id_value}}'],
  ])('%s becomes Jinja', (older, jinja) => expect(jinjaOf(older)).toBe(jinja))
})

describe('what the vendor answers', () => {
  const client = { id: 'the id', secret: 'the secret' }
  const at = Date.parse('2026-01-01T00:00:00Z')

  it('goes where the spec says, with the client and the variant', () => {
    const answer = { tokens: { refresh: 'r' }, expires_in: 7200 }
    expect(configOfTokens(declared(), answer, client, at)).toEqual({
      credentials: {
        ...{ auth_type: 'OAuth', refresh_token: 'r', expires: '2026-01-01T02:00:00.000Z' },
        ...{ client_id: 'the id', client_secret: 'the secret' },
      },
    })
  })

  it('is refused where something is missing, without a word of what is there', () => {
    const answer = { tokens: { access: 'canary' } }
    expect(() => configOfTokens(declared(), answer, client)).toThrow("holds no 'tokens.refresh'")
    expect(() => configOfTokens(declared(), answer, client)).not.toThrow(/canary/)
  })

  it('is not taken at all where the spec would show it', () => {
    const sealed = ['credentials.refresh_token', 'credentials.client_secret']
    expect(unsealedTokens(declared(), sealed)).toEqual([])
    expect(unsealedTokens(declared(), [])).toEqual(sealed)
  })
})

describe('the client of everybody', () => {
  const leads = (input: object, shop: unknown, registeredAt?: string) =>
    leadsToVendor(specOf(input), declared(input), { shop } as never, registeredAt)

  it.each([
    ['acme', true],
    ['evil.example/', false],
    ['evil.example#', false],
    ['evil.example?', false],
    ['evil.example\\', false],
    ['a.b', false],
    ['user@evil.example/', false],
    ['', false],
  ])('goes to an account below the vendor, and nowhere else: %j', (shop, expected) => {
    expect(leads({}, shop)).toBe(expected)
  })

  const everywhere = (host: string) => ({
    consent_url: `https://${host}/authorize`,
    access_token_url: `https://${host}/token`,
  })

  it('goes to a host that is fixed, whatever the config says', () => {
    expect(leads(everywhere('vendor.example'), 'evil.example')).toBe(true)
  })

  it('does not go where the config alone decides', () => {
    expect(leads(everywhere('{{ shop }}'), 'evil.example')).toBe(false)
    expect(leads(everywhere('{{ shop }}.com'), 'evil')).toBe(false)
    expect(leads(everywhere('login-{{ shop }}.vendor.example'), 'evil')).toBe(false)
    expect(leads({ access_token_url: 'https://{{ shop }}/token' }, 'evil.example')).toBe(false)
  })

  it('goes to the default of a host that may be changed, and to the one it is registered at', () => {
    const input = everywhere("{{ shop or 'vendor.example' }}")
    const spec = specOf(input) as unknown as {
      connectionSpecification: { properties: { shop: object } }
    }
    spec.connectionSpecification.properties.shop = { type: 'string', default: 'vendor.example' }
    const at = (shop: string, registeredAt?: string) =>
      leadsToVendor(spec as never, declared(input), { shop }, registeredAt)
    expect(at('vendor.example')).toBe(true)
    expect(at('')).toBe(true)
    expect(at('git.acme.example')).toBe(false)
    expect(at('git.acme.example', 'git.acme.example')).toBe(true)
    expect(at('vendor.example', 'git.acme.example')).toBe(false)
  })
})

describe('a spec that leaves the way to a server of its own', () => {
  it('declares nothing that we could do', () => {
    expect(oauthDeclaration({ connectionSpecification: {} })).toBeUndefined()
    const without = specOf({}, { oauth_connector_input_specification: undefined })
    expect(oauthDeclaration(without)).toBeUndefined()
  })
})
