import { AirbyteError, fromRecord, type JsonSchema } from '../protocol/index.ts'
import type { OperationContext } from './define.ts'
import type { ResolvedRef } from './refs.ts'

/** How a stored secret reads on every face. */
export const MASK = '**********'

/**
 * Paths of the fields that a spec marks `airbyte_secret`, through nested objects and `oneOf` variants.
 *
 * @example secretPaths({ properties: { password: { airbyte_secret: true } } }) // [['password']]
 */
export function secretPaths(schema: JsonSchema, prefix: string[] = []): string[][] {
  const own = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>).flatMap(
    ([name, property]) => {
      const path = [...prefix, name]
      return property.airbyte_secret === true ? [path] : secretPaths(property, path)
    },
  )
  const variants = ((schema.oneOf ?? []) as JsonSchema[]).flatMap((v) => secretPaths(v, prefix))
  return [...own, ...variants]
}

/** Refuses a config that carries a value in a field its connector's spec marks secret. */
export function refuseSpecSecrets(
  ctx: OperationContext,
  operationId: string,
  input: Record<string, unknown>,
  refs: Record<string, ResolvedRef>,
): void {
  const { config } = input
  if (typeof config !== 'object' || config === null) return
  const actor = Object.values(refs).find(({ type }) => type !== undefined)
  const type = actor?.type ?? input.type
  if (typeof type !== 'string') return
  const isSource = actor ? actor.kind === 'source' : operationId.startsWith('sources.')
  const registry = isSource ? ctx.registries.sources : ctx.registries.destinations
  if (!registry.has(type)) return
  for (const path of secretPaths(registry.get(type).spec().connectionSpecification)) {
    const value = path.reduce<unknown>(
      (node, part) => (node as Record<string, unknown> | undefined)?.[part],
      config,
    )
    if (value !== undefined && value !== '' && value !== MASK) refuse(`config.${path.join('.')}`)
  }
}

export function refuse(field: string): never {
  throw new AirbyteError(
    'SECRET_IN_ARGUMENTS',
    `${field} holds a credential, which must not pass through a chat. Nothing was stored.`,
    { field },
  )
}

/** The error with every secret of this call masked in its texts. */
export function scrubError({ secrets }: OperationContext, error: AirbyteError): AirbyteError {
  if (secrets.size === 0) return error
  return fromRecord(JSON.parse(mask(JSON.stringify(error), secrets)))
}

/** The result with every secret of this call masked; a safety net, since reads are masked already. */
export function scrubResult<T>({ secrets }: OperationContext, result: T): T {
  if (secrets.size === 0) return result
  const text = JSON.stringify(result)
  const masked = mask(text, secrets)
  return masked === text ? result : (JSON.parse(masked) as T)
}

/** Works on JSON text, so that values are found in keys and inside longer strings too. */
function mask(json: string, secrets: ReadonlySet<string>): string {
  return [...secrets]
    .map((secret) => JSON.stringify(secret).slice(1, -1))
    .filter((secret) => secret.length >= 4)
    .reduce((text, secret) => text.replaceAll(secret, MASK), json)
}
