import { constants } from 'node:os'

/** A wish to end: first after the next state, then, when that takes too long, at once. */
export interface Stop {
  readonly requested: boolean
  /** Resolves when it is. */
  readonly whenRequested: Promise<void>
  /** Nothing is under way but a wait, which need not be waited for. */
  idle: boolean
  /** Aborts what is under way. */
  readonly signal: AbortSignal
  /** 128 + the signal's number, once one came. */
  readonly exitCode: number | undefined
  dispose(): void
}

/** How long a read may take to its next state after the first signal. */
const PATIENCE_MS = 10_000

/** Listens to SIGINT and SIGTERM. A second signal ends the process where it stands. */
export function listenToSignals(
  onRequest: (name: string) => void,
  patienceMs: number = PATIENCE_MS,
): Stop {
  const controller = new AbortController()
  let exitCode: number | undefined
  let timer: NodeJS.Timeout | undefined
  const { promise: whenRequested, resolve } = Promise.withResolvers<void>()
  const listen = (name: NodeJS.Signals) => {
    if (exitCode !== undefined) process.exit(128 + constants.signals[name])
    exitCode = 128 + constants.signals[name]
    onRequest(name)
    resolve()
    const abort = () => controller.abort(new Error(`ended by ${name}`))
    timer = setTimeout(abort, stop.idle ? 0 : patienceMs)
  }
  process.on('SIGINT', listen).on('SIGTERM', listen)
  const stop: Stop = {
    idle: false,
    signal: controller.signal,
    whenRequested,
    get requested() {
      return exitCode !== undefined
    },
    get exitCode() {
      return exitCode
    },
    dispose() {
      clearTimeout(timer)
      process.off('SIGINT', listen).off('SIGTERM', listen)
    },
  }
  return stop
}
