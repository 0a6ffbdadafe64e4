import { AirbyteError } from '../../protocol/index.ts'
import type { TaskHost } from './host.ts'
import type { StreamClaim } from './types.ts'

/**
 * Ends what a cancelled read began at its source and waited for, such as an export: the source is
 * opened at its position with a signal that is aborted already, and does what it does then. Nobody
 * waits for the outcome.
 */
export async function endLeftover(host: TaskHost, claim: StreamClaim): Promise<void> {
  const { key, configured } = claim.stream
  const cancelled = new AirbyteError('CANCELLED', 'The sync was cancelled.')
  try {
    const { connector, config } = await host.openSource(claim)
    const ctx = host.context({
      claim,
      signal: AbortSignal.abort(cancelled),
      budget: { deadline: host.now(), exhausted: () => true },
      log: () => {},
    })
    const streams = new Map(claim.state ? [[key, claim.state]] : [])
    for await (const event of connector.read(ctx, config, [configured], { streams })) {
      // It does not look at its signal: nothing of what it reads is wanted.
      if (event.type === 'batch') return
    }
  } catch {
    // That it was cancelled, mostly; and there is nobody to be told.
  }
}
