import { AirbyteError } from '../../../protocol/index.ts'
import type { RefreshedToken, Token, TokenState } from '../../contract.ts'
import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { condition, template, textTemplate } from '../interpolation.ts'
import { parseDatetime } from '../python/epoch-formats.ts'
import { isMapping, mappingEntries, mappingGet } from '../python/mappings.ts'
import { str } from '../python/text.ts'
import { asNumber, type Value } from '../python/values.ts'
import type { Fields } from '../requester/options.ts'
import { jwtAuthenticator } from './jwt.ts'
import { sharedToken } from './shared-token.ts'
import { mappingTemplate, requestToken } from './token-request.ts'
import { tokenUpdater } from './token-updater.ts'
import { type Authenticator, header, ownFieldsOf } from './types.ts'

const HOUR = 3_600_000

/**
 * OAuth 2.0 access tokens: static, by refresh token, by client credentials or by a signed assertion.
 * Streams that share credentials share the token, and so do all who run the source.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-6
 */
export function oauthAuthenticator(component: Component, env: Environment): Authenticator {
  const bound = { env, parameters: component.parameters }
  const named = (field: string, byDefault: string) =>
    textTemplate(component.optionalText(field) ?? byDefault, bound)
  const tokenName = named('access_token_name', 'access_token')
  const expiresName = named('expires_in_name', 'expires_in')
  const endpointSource = component.optionalText('token_refresh_endpoint')
  const endpoint = endpointSource ? textTemplate(endpointSource, bound) : undefined
  const staticToken = component.has('access_token_value')
    ? str(template(component.text('access_token_value'), bound)() ?? '')
    : ''
  const updater = tokenUpdater(component, env)
  const fields = refreshFields(component, env)
  const shared = sharedToken(env, `oauth ${ownFieldsOf(component)}`, refresh)

  async function current(): Promise<string> {
    if (endpoint) return shared.current()
    if (staticToken) return staticToken
    throw component.refuse('Neither a token nor a token_refresh_endpoint is configured.')
  }

  function initial(): Token | undefined {
    if (!staticToken) return undefined
    const expiry = component.get('token_expiry_date')
    const text = expiry === undefined ? '' : str(template(String(expiry), bound)())
    const at = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text)
    return Number.isNaN(at) ? undefined : { value: staticToken, expiresAt: at }
  }

  async function refresh({ config = env.config, stale, uncertain }: TokenState) {
    const known = updater?.stored(config) ?? initial()
    if (known && known.expiresAt > env.ctx.now() && known.value !== stale) return known
    const answer = await requestToken(component, env, {
      endpoint: (endpoint as () => string)(),
      fields: await fields(updater?.refreshToken(config)),
      singleUse: updater !== undefined,
      uncertain,
    })
    const value = find(answer.json, tokenName())
    if (typeof value !== 'string' || value === '') {
      throw new AirbyteError('AUTH_FAILED', `The token endpoint gave no '${tokenName()}'.`)
    }
    const token: RefreshedToken = {
      value,
      expiresAt: expiryOf(find(answer.json, expiresName())),
    }
    if (updater) token.changes = updater.store(token, find(answer.json, updater.refreshTokenName))
    return token
  }

  function expiryOf(given: Value): number {
    const now = env.ctx.now()
    if (given === undefined || given === null || given === '') return now + HOUR
    const format = component.optionalText('token_expiry_date_format')
    if (format) return parseDatetime(given, format).timestamp() * 1000
    const seconds = typeof given === 'string' ? Number(given) : asNumber(given)
    if (Number.isFinite(seconds)) return now + seconds * 1000
    const at = Date.parse(str(given))
    return Number.isNaN(at) ? now + HOUR : at
  }

  return {
    options: async () => header('Authorization', `Bearer ${await current()}`),
    async refresh() {
      if (endpoint) await shared.renew()
    },
  }
}

/** What the token request says, besides the headers. */
function refreshFields(
  component: Component,
  env: Environment,
): (stored: string | undefined) => Promise<Fields> {
  const bound = { env, parameters: component.parameters }
  const name = (field: string, byDefault: string) =>
    textTemplate(component.optionalText(field) ?? byDefault, bound)
  const value = (field: string) => {
    const source = component.get(field)
    return source === undefined ? () => undefined : template(String(source), bound)
  }
  const extra = mappingTemplate(component.object('refresh_request_body'), bound)
  const headers = component.object('refresh_request_headers')
  const asserts = component.get('use_profile_assertion')
  const useAssertion = typeof asserts === 'string' ? condition(asserts, bound)() : asserts === true
  const assertion = useAssertion
    ? jwtAuthenticator(component.child('profile_assertion'), env)
    : undefined
  const sendsCredentials = !('Authorization' in headers) || env.language?.was('credentialsTwice')
  const clientId = value('client_id')
  const clientSecret = value('client_secret')
  const refreshToken = value('refresh_token')

  return async (stored) => {
    const grantName = name('grant_type_name', 'grant_type')()
    if (assertion) {
      const signed = (await assertion.options()).header as Fields
      return new Map<string, Value>([
        [grantName, 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
        ['assertion', [...signed.values()][0]],
      ])
    }
    const fields: Fields = new Map([[grantName, name('grant_type', 'refresh_token')()]])
    if (sendsCredentials) {
      fields.set(name('client_id_name', 'client_id')(), clientId())
      fields.set(name('client_secret_name', 'client_secret')(), clientSecret())
    }
    fields.set(name('refresh_token_name', 'refresh_token')(), stored ?? refreshToken())
    const scopes = component.list('scopes')
    if (scopes.length > 0) fields.set('scopes', scopes)
    for (const [key, item] of extra()) if (!fields.has(key)) fields.set(key, item)
    return fields
  }
}

const DEEPEST = 5

/** The first value under this key, however deep down to five levels. */
function find(node: Value, name: string, depth = 0): Value {
  if (depth > DEEPEST) return undefined
  if (Array.isArray(node)) {
    for (const item of node) {
      const found = find(item, name, depth + 1)
      if (found !== undefined) return found
    }
    return undefined
  }
  if (!isMapping(node)) return undefined
  const own = mappingGet(node, name)
  if (own !== undefined) return own
  for (const [, value] of mappingEntries(node)) {
    const found = find(value, name, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}
