import {
  AuthorizationResponseError,
  OperationProcessingError,
  RESPONSE_IS_NOT_CONFORM,
  RESPONSE_IS_NOT_JSON,
  ResponseBodyError,
  UnsupportedOperationError,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi'

/**
 * Why nobody was signed in.
 * - `declined`: the person said no at the provider
 * - `stale`: unknown, used, too old, or begun in another browser
 * - `unavailable`: the provider does not answer, or not as a provider does
 * - `unconfirmed`: the provider's answer does not hold (signature, issuer, audience, nonce, time, code)
 * - `not_allowed`: the provider vouched, but this server is not for that account
 */
export type SignInReason = 'declined' | 'stale' | 'unavailable' | 'unconfirmed' | 'not_allowed'

export class SignInProblem extends Error {
  readonly reason: SignInReason
  /** For the operator's log: a code, never a token or a claim. */
  readonly detail: string

  constructor(reason: SignInReason, detail: string = reason) {
    super(`Sign-in: ${reason}`)
    this.name = 'SignInProblem'
    this.reason = reason
    // Some details come from outside: nothing but a code gets into the log.
    this.detail = /^[\w ./-]{1,64}$/.test(detail) ? detail : 'not a code'
  }
}

/** Runs a conversation with a provider; whatever goes wrong in it comes out as a `SignInProblem`. */
export async function talking<T>(conversation: () => Promise<T>): Promise<T> {
  try {
    return await conversation()
  } catch (error) {
    throw error instanceof SignInProblem ? error : problemOf(error)
  }
}

function problemOf(error: unknown): SignInProblem {
  if (error instanceof AuthorizationResponseError) {
    const reason = error.error === 'access_denied' ? 'declined' : 'unconfirmed'
    return new SignInProblem(reason, error.error)
  }
  if (error instanceof ResponseBodyError) return new SignInProblem('unconfirmed', error.error)
  if (error instanceof WWWAuthenticateChallengeError) {
    return new SignInProblem('unconfirmed', `challenged with status ${error.status}`)
  }
  if (error instanceof UnsupportedOperationError) {
    return new SignInProblem('unconfirmed', 'unsupported operation')
  }
  if (error instanceof OperationProcessingError) {
    const silent = error.code === RESPONSE_IS_NOT_CONFORM || error.code === RESPONSE_IS_NOT_JSON
    return new SignInProblem(silent ? 'unavailable' : 'unconfirmed', error.code)
  }
  // What is left is fetch: refused, reset, too slow.
  return new SignInProblem('unavailable', error instanceof Error ? error.name : typeof error)
}
