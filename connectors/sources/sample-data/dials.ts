import { AirbyteError, type ErrorKind } from '../../../src/protocol/index.ts'
import type { DialAt, SampleConfig } from './config.ts'

/** Whether a dial acts on this row now; counts it if it has `times`. */
export function strikes(
  config: SampleConfig,
  name: string,
  dial: DialAt | undefined,
  stream: string,
  record: number,
): boolean {
  if (!dial || dial.record !== record || (dial.stream ?? stream) !== stream) return false
  if (dial.times === undefined) return true
  const key = `${name} ${stream} ${config.fingerprint}`
  const struck = STRUCK.get(key) ?? 0
  if (struck >= dial.times) return false
  STRUCK.set(key, struck + 1)
  return true
}

/** How often a counting dial has struck in this process. A restart forgets it, and the spec says so. */
const STRUCK = new Map<string, number>()

/** Rows at which a dial of this stream could act: batches end before them. */
export function stopsOf(config: SampleConfig, stream: string): number[] {
  return [config.failAt, config.stallAt, config.repeatAt]
    .flatMap((dial) => (dial && (dial.stream ?? stream) === stream ? [dial.record] : []))
    .sort((a, b) => a - b)
}

export function dialedFailure(kind: ErrorKind, stream: string, record: number): AirbyteError {
  const message = `The sample data was told to fail at record ${record} of ${stream}.`
  return new AirbyteError(CODES[kind], message, { stream, hint: 'Remove fail_at from the config.' })
}

const CODES = { config: 'AUTH_FAILED', transient: 'UPSTREAM_ERROR', system: 'INTERNAL' } as const

/** Waits, unless or until aborted: then throws the signal's reason. */
export function wait(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal.addEventListener('abort', abort, { once: true })
  })
}
