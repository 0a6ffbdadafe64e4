/**
 * OAuth clients that the operator has registered at vendors, for all workspaces of a server. What is
 * stored with a source is a mark in the place of the secret: the secret itself stays with the Worker,
 * where it can be changed, and goes only to the vendor.
 */
import { AirbyteError, type JsonObject, type JsonValue, setIn, valueIn } from '../protocol/index.ts'
import type { Spec } from '../runtime/contract.ts'
import { type OAuthDeclaration, oauthDeclaration } from '../runtime/oauth/declaration.ts'
import { leadsToVendor } from '../runtime/oauth/hosts.ts'
import type { OAuthClient } from '../runtime/oauth/requests.ts'

/** Stored where the client's secret belongs; it is worth nothing elsewhere. */
export const OF_THE_OPERATOR = '(kept by the server)'

/** The settings of a built-in connector: `OAUTH_GOOGLE_SHEETS_CLIENT_ID` and so on. */
export function operatorSettings(connector: string) {
  const prefix = `OAUTH_${connector.toUpperCase().replaceAll('-', '_')}`
  return { id: `${prefix}_CLIENT_ID`, secret: `${prefix}_CLIENT_SECRET`, host: `${prefix}_HOST` }
}

/**
 * The operator's client for a built-in connector, if there is one and this config leads to where it is
 * registered. Never ask for a connector that a workspace brought: it would name where secrets go.
 */
export function operatorClient(
  env: Env,
  connector: string,
  spec: Spec,
  declaration: OAuthDeclaration,
  config: JsonObject,
): OAuthClient | undefined {
  const { id, secret, host } = settingsOf(env, connector)
  if (!id || !secret) return undefined
  return leadsToVendor(spec, declaration, config, host) ? { id, secret } : undefined
}

/** The config with the operator's secret in place of its mark. */
export function withOperatorClient(
  env: Env,
  connector: string,
  spec: Spec,
  config: JsonObject,
): { config: JsonObject; secret?: string } {
  const declaration = oauthDeclaration(spec)
  const place = declaration?.client.secret
  if (!declaration || !place || valueIn(config, place) !== OF_THE_OPERATOR) return { config }
  const client = operatorClient(env, connector, spec, declaration, config)
  if (!client) {
    const { id, secret } = operatorSettings(connector)
    throw new AirbyteError(
      'REAUTHORIZE',
      `The OAuth client of this server that ${connector} was connected with is not configured for this account any more.`,
      { hint: `Set ${id} and ${secret} again, or enter the credentials anew.` },
    )
  }
  const whole = structuredClone(config)
  setIn(whole, place, client.secret)
  if (declaration.client.id) setIn(whole, declaration.client.id, client.id)
  return { config: whole, secret: client.secret }
}

/** Undoes `withOperatorClient` in a config that a connector hands back, wherever it put the secret. */
export function withoutOperatorClient(env: Env, connector: string, config: JsonObject): JsonObject {
  const { secret } = settingsOf(env, connector)
  if (!secret) return config
  const hide = (value: JsonValue): JsonValue => {
    if (value === secret) return OF_THE_OPERATOR
    if (Array.isArray(value)) return value.map(hide)
    return typeof value === 'object' && value !== null ? hideIn(value) : value
  }
  const hideIn = (object: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key, hide(value)]))
  return hideIn(config)
}

function settingsOf(env: Env, connector: string) {
  const names = operatorSettings(connector)
  const vars = env as unknown as Record<string, string | undefined>
  // A secret that came through a pipe often ends with a line break.
  const of = (name: string) => vars[name]?.trim() || undefined
  return { id: of(names.id), secret: of(names.secret), host: of(names.host) }
}
