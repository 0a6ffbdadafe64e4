import { vi } from 'vitest'
import type { RunOptions } from '../../../../src/runtime/declarative/run.ts'
import { NOW } from './synthetic.ts'

/**
 * The time of the tests of declarative connectors. It stands still, because synthetic rows have fixed
 * dates and windows up to now must not grow; what is slept through passes at once.
 */
export class StillClock {
  /** What was slept through since the start, in milliseconds. */
  readonly waits: number[] = []

  readonly patience: RunOptions = {
    longestSleepMs: 86_400_000,
    sleep: async (ms) => {
      this.waits.push(ms)
      const until = Date.now() + ms
      // Others sleep at the same time, not one after another.
      await new Promise(setImmediate)
      vi.setSystemTime(Math.max(until, Date.now()))
    },
  }

  start(): void {
    this.waits.length = 0
    vi.useFakeTimers({ toFake: ['Date'], now: NOW })
  }

  stop(): void {
    vi.useRealTimers()
  }
}
