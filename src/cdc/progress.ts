import type { LogEnd, LogProgress } from '../runtime/source-log.ts'

/** How often somebody who waits has the server say how far it is. */
const ASK_MS = 150

/** Tells those who wait that a log has moved. */
export class Bell {
  readonly #waiting = new Set<() => void>()

  ring(): void {
    for (const resolve of this.#waiting) resolve()
  }

  /** Resolves when it rings, or after `ms`. */
  async heard(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.add(resolve)
    const timer = setTimeout(resolve, ms)
    await promise
    clearTimeout(timer)
    this.#waiting.delete(resolve)
  }
}

/** A log that is being drained. */
export interface Draining<Progress extends LogProgress = LogProgress> {
  /** What is staged now. */
  look(): Progress
  /** Has the server say how far it is; rejects with what stopped the reader. */
  ask(): Promise<void>
  bell: Bell
}

/** What is staged, once that is beyond `after`, or `waitMs` are over: see `StagedChanges`. */
export async function nextProgress<Progress extends LogProgress>(
  { look, ask, bell }: Draining<Progress>,
  after: LogEnd,
  waitMs: number,
): Promise<Progress> {
  const until = Date.now() + waitMs
  for (;;) {
    const progress = look()
    const moved = JSON.stringify(progress.end.position) !== JSON.stringify(after.position)
    const left = until - Date.now()
    if (progress.parts.length > 0 || moved || left <= 0) return progress
    await ask()
    await bell.heard(Math.min(ASK_MS, left))
  }
}
