import {
  AirbyteError,
  fromRecord,
  type JsonObject,
  type JsonSchema,
  type JsonValue,
  toAirbyteError,
} from '../protocol/index.ts'
import { createScrubber, secretIn, splitSecrets } from '../vault/index.ts'
import { type ActorKind, connectorOf, specNamed } from './actors.ts'
import type { OperationContext } from './define.ts'
import type { ResolvedRef } from './refs.ts'

/**
 * Refuses input that came through a model and holds something in the form of a credential.
 * @throws SECRET_IN_ARGUMENTS, which never repeats the value
 */
export function refuseSecrets(input: unknown): void {
  const found = secretIn((input ?? {}) as JsonValue)
  if (found) refuse(found.field, `what looks like a credential (${found.kind})`)
}

/** Refuses a config that came through a model and has a value where its connector's spec says secret. */
export async function refuseSpecSecrets(
  ctx: OperationContext,
  operationId: string,
  input: Record<string, unknown>,
  refs: Record<string, ResolvedRef>,
): Promise<void> {
  const { config } = input
  if (typeof config !== 'object' || config === null) return
  const spec = await specOfConfig(ctx, operationId, input, refs)
  if (!spec) return
  const [pointer] = Object.keys(splitSecrets(spec, config as JsonObject).secrets)
  if (pointer !== undefined) refuse(`config${pointer.replaceAll('/', '.')}`, 'a credential')
}

/** Undefined where there is no such connector: the operation says so. */
async function specOfConfig(
  ctx: OperationContext,
  operationId: string,
  { type }: Record<string, unknown>,
  refs: Record<string, ResolvedRef>,
): Promise<JsonSchema | undefined> {
  const actor = Object.values(refs).find(({ kind }) => kind === 'source' || kind === 'destination')
  if (actor) {
    const kind = actor.kind as ActorKind
    const connector = await connectorOf(ctx, kind, await ctx.objects[kind](actor.id).get())
    return connector.spec().connectionSpecification
  }
  if (typeof type !== 'string') return undefined
  const kind = operationId.startsWith('sources.') ? 'source' : 'destination'
  return specNamed(ctx, kind, type).catch((error) => {
    if (toAirbyteError(error).code === 'CONNECTOR_NOT_FOUND') return undefined
    throw error
  })
}

function refuse(field: string, what: string): never {
  throw new AirbyteError(
    'SECRET_IN_ARGUMENTS',
    `${field} holds ${what}, which must not pass through a chat. Nothing was stored.`,
    { field },
  )
}

/** The error with every secret of this call masked in its texts. */
export function scrubError({ secrets }: OperationContext, error: AirbyteError): AirbyteError {
  if (secrets.size === 0) return error
  return fromRecord(JSON.parse(createScrubber(secrets)(JSON.stringify(error))))
}

/** The result with every secret of this call masked; a safety net, since reads are masked already. */
export function scrubResult<T>({ secrets }: OperationContext, result: T): T {
  if (secrets.size === 0) return result
  const text = JSON.stringify(result)
  const masked = createScrubber(secrets)(text)
  return masked === text ? result : (JSON.parse(masked) as T)
}
