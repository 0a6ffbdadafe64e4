import { AirbyteError, type ErrorCode } from '../../../protocol/index.ts'
import { Answer } from '../requester/answer.ts'
import { errorTextOf } from './message.ts'
import type { Outcome, Resolution } from './resolution.ts'

const LONGEST_TEXT = 300

/** The error that ends a stream, with what the API itself said. Headers and bodies stay out of it. */
export function failureOf(outcome: Outcome, resolution: Resolution, stream: string): AirbyteError {
  const said = outcome instanceof Answer ? saidBy(outcome) : ''
  const where = outcome instanceof Answer ? ` (${hostOf(outcome.url)})` : ''
  const message = resolution.message || 'The request failed.'
  return new AirbyteError(codeOf(outcome, resolution), `${stream}: ${message}${said}${where}`, {
    stream,
    cause: outcome instanceof Error ? outcome : undefined,
  })
}

function codeOf(outcome: Outcome, { failureType }: Resolution): ErrorCode {
  const status = outcome instanceof Answer ? outcome.status : 0
  if (failureType === 'transient_error') {
    if (status === 429) return 'RATE_LIMITED'
    return outcome instanceof AirbyteError && outcome.kind === 'transient'
      ? outcome.code
      : 'UPSTREAM_ERROR'
  }
  if (failureType === 'system_error') return 'REQUEST_REFUSED'
  if (status === 401) return 'AUTH_FAILED'
  if (status === 403) return 'PERMISSION_DENIED'
  if (outcome instanceof AirbyteError && outcome.kind === 'config') return outcome.code
  return 'SOURCE_MISCONFIGURED'
}

function saidBy(answer: Answer): string {
  const text = errorTextOf(answer)?.trim()
  if (!text || text.startsWith('<')) return ''
  return ` The API says: ${text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text}`
}

const hostOf = (url: string) => (URL.canParse(url) ? new URL(url).host : 'unknown host')
