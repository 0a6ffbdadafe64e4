const BASE_MS = 500
const CEILING_MS = 20_000

/** Exponential back-off with full jitter over its upper half: `attempt` counts from 1. */
export function backoffMs(attempt: number, baseMs = BASE_MS): number {
  const ceiling = Math.min(CEILING_MS, baseMs * 2 ** (attempt - 1))
  return ceiling / 2 + Math.random() * (ceiling / 2)
}

/** Milliseconds that a `Retry-After` header (seconds, or an HTTP date) asks to wait; RFC 9110 §10.2.3. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined
  const value = header.trim()
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
