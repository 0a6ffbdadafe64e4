import { createHash } from 'node:crypto'
import type { Environment, Slice } from '../environment.ts'
import { jobKey } from './job.ts'

/** Longer than the longest time between two polls: who has died gives his seat back. */
const SEAT_MS = 5 * 60_000

/**
 * The right to have a job at the API, of which the whole source has so many: streams that are read
 * at the same time share them.
 */
export class JobSeats {
  readonly #env: Environment
  readonly #limit: number

  constructor(env: Environment, limit: number) {
    this.#env = env
    this.#limit = limit
  }

  /** Takes a seat for the slice's job, or keeps it. A check has its job beside the others. */
  async take(slice: Slice): Promise<boolean> {
    const { run } = this.#env
    if (run.probes) return true
    return run.owner.takeSeat('jobs', this.#holder(slice), this.#limit, SEAT_MS)
  }

  async leave(slice: Slice): Promise<void> {
    const { run } = this.#env
    if (!run.probes) await run.owner.leaveSeat('jobs', this.#holder(slice))
  }

  /** The same in each invocation of a sync. */
  #holder(slice: Slice): string {
    const { run, stream } = this.#env
    const [first] = run.configured.values()
    const name = `${first?.syncId ?? 0} ${stream} ${jobKey(slice)}`
    return createHash('sha256').update(name).digest('hex').slice(0, 32)
  }
}
