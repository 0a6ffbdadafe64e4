import { AirbyteError } from '../protocol/index.ts'
import type { OperationContext } from './define.ts'
import { iso } from './views.ts'

const POLL_MS = 1000

/**
 * The setup, at once or when it is no longer waiting.
 * @throws NOT_FOUND also for another workspace's setup
 */
export async function waitForSetup(ctx: OperationContext, setupId: string, waitSeconds: number) {
  const until = Date.now() + waitSeconds * 1000
  for (;;) {
    const setup = await ctx.setups.get(setupId)
    if (!setup) {
      throw new AirbyteError('NOT_FOUND', `There is no setup '${setupId.slice(0, 60)}'.`, {
        field: 'setupId',
        hint: 'Call update_resource with enterCredentials for a new link.',
      })
    }
    if (setup.status !== 'waiting' || Date.now() + POLL_MS > until || ctx.signal.aborted) {
      return { ...setup, expiresAt: iso(setup.expiresAt) }
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
