import { z } from 'zod'
import type { Spec } from '../contract.ts'

/** How a person signs in at the vendor, in place of entering secrets, as `advanced_auth` says it. */
export interface OAuthDeclaration {
  /** The variant of the config that uses the tokens. */
  predicate?: { path: string[]; value: string }
  consentUrl: string
  tokenUrl: string
  tokenHeaders: Record<string, string>
  /** Absent: the token request has no body. */
  tokenParams?: Record<string, string>
  scope: string
  optionalScope?: string
  /** What the vendor calls each parameter. */
  keys: ParameterNames
  /** Lengths of `state` that the vendor takes. */
  stateLength: { min: number; max: number }
  /** Values of the config that addresses are made of, by their name in templates. */
  inputs: { name: string; path: string[] }[]
  /** What goes from the vendor's answer into the config. */
  outputs: { name: string; from: string[]; path: string[] }[]
  /** Where the connector keeps the client that it refreshes tokens with. */
  client: { id?: string[]; secret?: string[] }
}

export interface ParameterNames {
  clientId: string
  clientSecret: string
  scope: string
  state: string
  code: string
  redirectUri: string
}

const path = z.array(z.string()).min(1)
const scopes = z.array(z.looseObject({ scope: z.string() })).optional()
const texts = z.record(z.string(), z.string()).optional()
const placed = z.looseObject({
  properties: z.record(z.string(), z.looseObject({ path_in_connector_config: path.optional() })),
})
const Output = z.looseObject({
  path_in_connector_config: path,
  path_in_oauth_response: path.optional(),
})

const AdvancedAuth = z.looseObject({
  auth_flow_type: z.literal('oauth2.0').optional(),
  predicate_key: path.optional(),
  predicate_value: z.string().optional(),
  oauth_config_specification: z.looseObject({
    oauth_user_input_from_connector_config_specification: placed.optional(),
    oauth_connector_input_specification: z.looseObject({
      consent_url: z.string(),
      access_token_url: z.string(),
      access_token_headers: texts,
      access_token_params: texts,
      scope: z.string().optional(),
      scopes,
      optional_scopes: scopes,
      scopes_join_strategy: z.enum(['space', 'comma', 'plus']).optional(),
      state: z.looseObject({ min: z.int(), max: z.int() }).optional(),
      client_id_key: z.string().optional(),
      client_secret_key: z.string().optional(),
      scope_key: z.string().optional(),
      state_key: z.string().optional(),
      auth_code_key: z.string().optional(),
      redirect_uri_key: z.string().optional(),
    }),
    complete_oauth_output_specification: z.looseObject({
      properties: z.record(z.string(), Output),
    }),
    complete_oauth_server_output_specification: placed.optional(),
  }),
})

const SEPARATORS = { space: ' ', comma: ',', plus: '+' }

/**
 * What a connector's spec says of signing in. Undefined where it says nothing, or leaves it to a
 * server of Airbyte's: without addresses nobody can be led anywhere.
 *
 * @see https://docs.airbyte.com/platform/connector-development/connector-builder-ui/authentication
 */
export function oauthDeclaration({ advanced_auth: auth }: Spec): OAuthDeclaration | undefined {
  const parsed = AdvancedAuth.safeParse(auth)
  if (!parsed.success) return undefined
  const {
    predicate_key: key,
    predicate_value: value,
    oauth_config_specification: oauth,
  } = parsed.data
  const input = oauth.oauth_connector_input_specification
  const separator = SEPARATORS[input.scopes_join_strategy ?? 'space']
  const joined = (list: { scope: string }[] | undefined) =>
    list?.map(({ scope }) => scope).join(separator)
  const keys: ParameterNames = {
    clientId: input.client_id_key ?? 'client_id',
    clientSecret: input.client_secret_key ?? 'client_secret',
    scope: input.scope_key ?? 'scope',
    state: input.state_key ?? 'state',
    code: input.auth_code_key ?? 'code',
    redirectUri: input.redirect_uri_key ?? 'redirect_uri',
  }
  const server = oauth.complete_oauth_server_output_specification?.properties ?? {}
  const user = oauth.oauth_user_input_from_connector_config_specification?.properties ?? {}
  return {
    ...(key && value !== undefined && { predicate: { path: key, value } }),
    consentUrl: input.consent_url,
    tokenUrl: input.access_token_url,
    tokenHeaders: input.access_token_headers ?? {},
    tokenParams: input.access_token_params,
    scope: joined(input.scopes) ?? input.scope ?? '',
    optionalScope: joined(input.optional_scopes),
    keys,
    stateLength: input.state ?? { min: 43, max: 43 },
    inputs: Object.entries(user).map(([name, { path_in_connector_config: place }]) => ({
      name,
      path: place ?? [name],
    })),
    outputs: Object.entries(oauth.complete_oauth_output_specification.properties).map(
      ([name, { path_in_connector_config: place, path_in_oauth_response: from }]) => ({
        ...{ name, from: from ?? [name], path: place },
      }),
    ),
    client: {
      id: server[keys.clientId]?.path_in_connector_config,
      secret: server[keys.clientSecret]?.path_in_connector_config,
    },
  }
}
