import { createHash } from 'node:crypto'
import { AirbyteError, type JsonObject, valueIn } from '../../protocol/index.ts'
import { compileTemplate } from '../declarative/template/index.ts'
import type { OAuthDeclaration } from './declaration.ts'
import { jinjaOf } from './older-templates.ts'

/** One way to the vendor and back. */
export interface Dance {
  /** Visible values; addresses may be made of them. */
  config: JsonObject
  client: OAuthClient
  redirectUri: string
  state: string
  /** Of PKCE; only the token request tells it. */
  verifier: string
}

export interface OAuthClient {
  id: string
  secret: string
}

/**
 * Where the person's browser goes. Nothing secret is in it.
 * @throws SOURCE_MISCONFIGURED if the template makes no address of it
 */
export function consentUrl(declaration: OAuthDeclaration, dance: Dance): URL {
  const { id } = dance.client
  const values = valuesOf(declaration, { ...dance, client: { id, secret: '' } }, dance.state, '')
  return address(render(declaration.consentUrl, { ...values, ...challengeOf(dance) }))
}

/** The request that changes a code into tokens (RFC 6749, 4.1.3), in the form that the vendor wants. */
export function tokenRequest(
  declaration: OAuthDeclaration,
  dance: Dance,
  code: string,
): { url: URL; headers: Record<string, string>; body: string } {
  const values = valuesOf(declaration, dance, secondState(declaration, dance), code)
  const rendered = (texts: Record<string, string>) =>
    Object.entries(texts).map(([name, text]) => [render(name, values), render(text, values)])
  const headers = new Headers({ accept: 'application/json' })
  for (const [name = '', value = ''] of rendered(declaration.tokenHeaders)) headers.set(name, value)
  const params = declaration.tokenParams && rendered(declaration.tokenParams)
  const asForm =
    !params || headers.get('content-type')?.startsWith('application/x-www-form') === true
  headers.set('content-type', asForm ? 'application/x-www-form-urlencoded' : 'application/json')
  const body = asForm
    ? new URLSearchParams(params ?? []).toString()
    : JSON.stringify(Object.fromEntries(params))
  return {
    url: address(render(declaration.tokenUrl, values)),
    headers: Object.fromEntries(headers),
    body,
  }
}

/** The address that a template makes, for those who must know whose it is. */
export const tokenAddress = (declaration: OAuthDeclaration, config: JsonObject): URL =>
  address(render(declaration.tokenUrl, valuesOf(declaration, { ...NOBODY, config }, '', '')))

export const consentAddress = (declaration: OAuthDeclaration, config: JsonObject): URL =>
  consentUrl(declaration, { ...NOBODY, config })

const NOBODY = { client: { id: '', secret: '' }, redirectUri: '', state: '', verifier: '' }

/**
 * Airbyte's manifests have no verifier: they hash the state for the consent and send it as the
 * verifier. The state passes through the browser and so would protect nothing; what they call state
 * in the token request, which has no other use for it, is a secret of ours.
 */
const secondState = ({ consentUrl: consent }: OAuthDeclaration, { state, verifier }: Dance) =>
  /codeChallengeS256/.test(consent) ? verifier : state

const challengeOf = ({ verifier }: Dance) => ({
  code_challenge_value: createHash('sha256').update(verifier).digest('base64url'),
})

function valuesOf(
  { keys, scope, optionalScope, inputs }: OAuthDeclaration,
  { client, redirectUri, config }: Dance,
  state: string,
  code: string,
): Record<string, unknown> {
  const parameters: [name: string, key: string, value: string, encoded: boolean][] = [
    ['client_id', keys.clientId, client.id, false],
    ['client_secret', keys.clientSecret, client.secret, false],
    ['auth_code', keys.code, code, false],
    ['state', keys.state, state, false],
    ['redirect_uri', keys.redirectUri, redirectUri, true],
    ['scope', keys.scope, scope, true],
    ['scopes', keys.scope, scope, true],
    ...(optionalScope === undefined
      ? []
      : [
          ['optional_scopes', 'optional_scopes', optionalScope, true] as [
            string,
            string,
            string,
            boolean,
          ],
        ]),
  ]
  const values: Record<string, unknown> = {}
  for (const [name, key, value, encoded] of parameters) {
    values[`${name}_key`] = key
    values[`${name}_value`] = value
    values[`${name}_param`] = `${key}=${encoded ? encodeURIComponent(value) : value}`
  }
  for (const { name, path } of inputs) values[name] = valueIn(config, path) ?? ''
  return values
}

const render = (template: string, values: Record<string, unknown>) =>
  compileTemplate(jinjaOf(template)).render(values as never)

function address(text: string): URL {
  if (URL.canParse(text.trim())) return new URL(text.trim())
  throw new AirbyteError(
    'SOURCE_MISCONFIGURED',
    'The connector makes no address to sign in at of its config.',
    { hint: 'Complete the config first: the address of the account is probably missing.' },
  )
}
