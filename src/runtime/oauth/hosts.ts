import { type JsonObject, type JsonSchema, setIn, valueIn } from '../../protocol/index.ts'
import type { Spec } from '../contract.ts'
import type { OAuthDeclaration } from './declaration.ts'
import { consentAddress, tokenAddress } from './requests.ts'

const MARK = 'airbyte-input'

/**
 * Whether a config leads the sign-in to the vendor's own hosts. A client that belongs to everybody on
 * a server must not be sent where one workspace says: only to the host that the connector names, to
 * an account below it (`<shop>.myshopify.com`), or to the one host that the operator registered it at.
 *
 * @param registeredAt host, with its port if it has one, where the client is known instead
 */
export function leadsToVendor(
  spec: Spec,
  declaration: OAuthDeclaration,
  config: JsonObject,
  registeredAt?: string,
): boolean {
  const usual = usualConfig(spec.connectionSpecification, declaration, config)
  return [consentAddress, tokenAddress].every((addressOf) => {
    try {
      const { host } = addressOf(declaration, config)
      return registeredAt === undefined
        ? isSameVendor(host, addressOf(declaration, usual).host)
        : host === registeredAt
    } catch {
      return false
    }
  })
}

function isSameVendor(host: string, usual: string): boolean {
  if (!usual.includes(MARK)) return host === usual
  const [before = '', after = ''] = usual.split(MARK)
  const label = host.slice(before.length, host.length - after.length)
  // A whole label of a domain with an owner: `x.myshopify.com`, not `x.com`.
  const isLabel = before === '' && /^\.[^.]+\.[^:]+$/.test(after)
  return isLabel && host === `${label}${after}` && /^[a-z0-9-]+$/.test(label)
}

/** The config with what people type replaced: by its default, or by a mark that shows where it goes. */
function usualConfig(schema: JsonSchema, { inputs }: OAuthDeclaration, config: JsonObject) {
  const usual = structuredClone(config)
  for (const { path } of inputs) {
    if (typeof valueIn(config, path) === 'boolean') continue
    setIn(usual, path, defaultAt(schema, path) ?? MARK)
  }
  return usual
}

function defaultAt(schema: JsonSchema, path: string[]): string | undefined {
  const steps = path.flatMap((name) => ['properties', name])
  const { default: value } = (valueIn(schema, steps) ?? {}) as JsonSchema
  return typeof value === 'string' ? value : undefined
}
