import type { StreamKey } from '../../protocol/index.ts'
import type { Destination, Loader } from '../../runtime/contract.ts'
import type { Slice } from './run-task.ts'
import type { Claim, StreamClaim } from './types.ts'

/**
 * The loader that a run of tasks has open. One of the same stream goes on with it, as the one that makes
 * visible what was just loaded: it need not be prepared again.
 */
export class Loaders {
  #open: OpenLoader | undefined

  /** The loader of the claim's stream: that of the task before, or a new one. */
  async open({ claim, ctx, host }: Slice<StreamClaim>): Promise<OpenLoader> {
    if (this.#open) return this.#open
    const { plan, key } = claim.stream
    const destination = await host.openDestination(claim)
    const loader = await destination.connector.open(ctx, destination.config, plan)
    this.#open = { stream: key, destination: destination.connector, loader, isPrepared: false }
    return this.#open
  }

  /** Closes what the next task has no use for. */
  async keepOnly(next: Claim): Promise<void> {
    const isNeeded = next.kind === 'finish' && next.stream.key === this.#open?.stream
    if (!isNeeded) await this.close()
  }

  async close(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.loader.close()
  }
}

export interface OpenLoader {
  stream: StreamKey
  destination: Destination
  loader: Loader
  /** By the task before. */
  isPrepared: boolean
}
