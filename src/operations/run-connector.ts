import { AirbyteError, type JsonObject, toAirbyteError } from '../protocol/index.ts'
import type { ConnectorContext } from '../runtime/contract.ts'
import { type ActorKind, type ConnectorKinds, connectorOf } from './actors.ts'
import type { OperationContext } from './define.ts'

/** Calls of most clients end after 60 s; the answer must come before. */
const LIMIT_MS = 40_000

interface Running<C> {
  connector: C
  context: ConnectorContext
  config: JsonObject
  type: string
}

/**
 * Runs a piece of a connector here in the Worker with the stored credentials, at most 40 s.
 * @throws AWAITING_CREDENTIALS with the link to enter them, TIMEOUT, and what the connector throws
 */
export async function runConnector<K extends ActorKind, T>(
  ctx: OperationContext,
  kind: K,
  id: string,
  work: (running: Running<ConnectorKinds[K]>) => Promise<T>,
): Promise<T> {
  const { type, connector: pin, config, edition, secrets } = await openActor(ctx, kind, id)
  const connector = await connectorOf(ctx, kind, { type, connector: pin })
  for (const secret of secrets) ctx.secrets.add(secret)
  const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(LIMIT_MS)])
  const remember = (secret: string) => ctx.secrets.add(secret)
  const source = kind === 'source' ? { id, edition: () => edition, remember } : undefined
  const context = ctx.connector(signal, LIMIT_MS, source)
  return await Promise.race([work({ connector, context, config, type }), whenAborted(signal, type)])
}

async function openActor(ctx: OperationContext, kind: ActorKind, id: string) {
  const object = ctx.objects[kind](id)
  try {
    return await object.open()
  } catch (error) {
    const known = toAirbyteError(error)
    if (known.code !== 'AWAITING_CREDENTIALS') throw known
    const { name, type: connector } = await object.get()
    const setup = await ctx.setups.create({ entity: kind, entityId: id, name, connector })
    throw new AirbyteError('AWAITING_CREDENTIALS', known.message, {
      hint: `Open ${setup.setupUrl} in a browser, enter the credentials, and try again.`,
    })
  }
}

function whenAborted(signal: AbortSignal, type: string): Promise<never> {
  return new Promise((_, reject) => {
    const giveUp = () => {
      const message = `${type} did not answer within ${LIMIT_MS / 1000} seconds.`
      reject(new AirbyteError('TIMEOUT', message, { hint: 'Try again, or check its load.' }))
    }
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp)
  })
}
