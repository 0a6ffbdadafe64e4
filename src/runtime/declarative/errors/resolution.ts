import { AirbyteError } from '../../../protocol/index.ts'
import type { Answer } from '../requester/answer.ts'
import type { Detour } from '../requester/signals.ts'

/** What is done about an answer or a network failure. */
export type Action =
  | 'SUCCESS'
  | 'FAIL'
  | 'RETRY'
  | 'IGNORE'
  | 'RATE_LIMITED'
  | Detour
  | 'REFRESH_TOKEN_THEN_RETRY'

export type FailureType = 'config_error' | 'system_error' | 'transient_error'

export interface Resolution {
  action: Action
  failureType: FailureType
  message?: string
}

/** What came back: an answer, or the error of a request that got none. */
export type Outcome = Answer | Error

export const SUCCESS: Resolution = { action: 'SUCCESS', failureType: 'system_error' }

/** What a status means where no filter says otherwise. */
export function defaultResolution(outcome: Outcome): Resolution {
  if (outcome instanceof Error) return networkResolution(outcome)
  const known = BY_STATUS[outcome.status]
  const message = `HTTP Status Code: ${outcome.status}. ${known?.text ?? 'Unexpected answer'}.`
  if (known) return { action: known.action, failureType: known.failureType, message }
  return outcome.ok ? SUCCESS : { action: 'RETRY', failureType: 'system_error', message }
}

function networkResolution(error: Error): Resolution {
  const config = error instanceof AirbyteError && error.kind === 'config'
  return config
    ? { action: 'FAIL', failureType: 'config_error', message: error.message }
    : { action: 'RETRY', failureType: 'transient_error', message: error.message }
}

interface StatusMeaning {
  action: Action
  failureType: FailureType
  text: string
}

const fail = (failureType: FailureType, text: string): StatusMeaning => ({
  action: 'FAIL',
  failureType,
  text,
})
const retry = (text: string): StatusMeaning => ({
  action: 'RETRY',
  failureType: 'transient_error',
  text,
})

const BY_STATUS: Record<number, StatusMeaning> = {
  400: fail('system_error', 'The API refused the request as malformed'),
  401: fail('config_error', 'The API did not accept the credentials'),
  403: fail('config_error', 'The credentials lack the right for this'),
  404: fail('system_error', 'The API has nothing at this address'),
  405: fail('system_error', 'The API refused the method'),
  408: retry('The API waited too long for the request'),
  429: {
    action: 'RATE_LIMITED',
    failureType: 'transient_error',
    text: 'The API asked to slow down',
  },
  500: retry('The API failed'),
  502: retry('A gateway of the API failed'),
  503: retry('The API is not available'),
  504: retry('A gateway of the API waited too long'),
}
