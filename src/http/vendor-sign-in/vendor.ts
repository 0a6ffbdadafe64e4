import { operatorClient } from '../../durable-object/operator-client.ts'
import type { ActorRecord } from '../../durable-object/rpc.ts'
import { originOf } from '../../identity/origin.ts'
import { valueIn } from '../../protocol/index.ts'
import type { Destination, Source } from '../../runtime/contract.ts'
import { type OAuthDeclaration, oauthDeclaration } from '../../runtime/oauth/declaration.ts'
import { consentAddress, type OAuthClient, tokenAddress } from '../../runtime/oauth/requests.ts'
import { unsealedTokens } from '../../runtime/oauth/tokens.ts'
import { secretPaths } from '../../vault/index.ts'

export const VENDOR_PATH = '/connect/'
/** Names of the form's fields for a client of the person's own. */
export const CLIENT_FIELDS = { id: 'vendor-client-id', secret: 'vendor-client-secret' }
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** Where a person can sign in instead of entering secrets. */
export interface Vendor {
  declaration: OAuthDeclaration
  /** For the button: where it leads. */
  host: string
  /** To be registered with the client, exactly; one for each connector, so that answers are not mixed up. */
  redirectUri: string
  /** Where the code and the client's secret go. */
  tokenUrl: string
  /** Of the operator; absent: the person brings one. */
  client?: OAuthClient
}

/**
 * The vendor of a source or destination, if its connector says how to sign in there, its config has
 * not chosen another way, and the spec seals what would be got.
 */
export function vendorOf(
  request: Request,
  env: Env,
  { config, connector: pin }: Pick<ActorRecord, 'config' | 'connector'>,
  connector: Source | Destination,
): Vendor | undefined {
  const spec = connector.spec()
  const { name } = connector.info
  const declaration = oauthDeclaration(spec)
  if (!declaration || hasChosenOtherwise(declaration, config)) return undefined
  if (unsealedTokens(declaration, secretPaths(spec.connectionSpecification)).length > 0) {
    console.warn('vendor sign-in', { connector: name, reason: 'its spec does not seal the tokens' })
    return undefined
  }
  try {
    const consent = consentAddress(declaration, config)
    const token = tokenAddress(declaration, config)
    if (!isSafe(consent) || !isSafe(token)) return undefined
    const redirectUri = `${originOf(new URL(request.url), env)}${VENDOR_PATH}${name}/callback`
    return {
      ...{ declaration, host: consent.host, redirectUri },
      tokenUrl: `${token.origin}${token.pathname}`,
      client: pin ? undefined : operatorClient(env, name, spec, declaration, config),
    }
  } catch {
    // The config does not yet say whose account it is.
    return undefined
  }
}

function hasChosenOtherwise({ predicate }: OAuthDeclaration, config: ActorRecord['config']) {
  const chosen = predicate && valueIn(config, predicate.path)
  return chosen !== undefined && chosen !== predicate?.value
}

const isSafe = ({ protocol, hostname }: URL) =>
  protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname))
