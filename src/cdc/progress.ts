import type { LogEnd, LogProgress } from '../runtime/source-log.ts'

/** How often somebody who waits has the server say how far it is. */
const ASK_MS = 150

/** Tells those who wait that a log has moved. */
export class Bell {
  #waiting: (() => void)[] = []

  ring(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Resolves when it rings, or after `ms`. */
  async heard(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
      timer = setTimeout(resolve, ms)
    })
    clearTimeout(timer)
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
