import { AirbyteError, type JsonObject, type JsonValue } from '../../../protocol/index.ts'
import { backoffMs, retryAfterMs } from '../../retry.ts'
import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { template } from '../interpolation.ts'
import { isMapping, mappingGet } from '../python/mappings.ts'
import { str } from '../python/text.ts'
import type { Value } from '../python/values.ts'
import { Answer } from '../requester/answer.ts'
import type { Fields } from '../requester/options.ts'
import { encodeForm, withParameters } from '../requester/url.ts'
import { isoTime } from '../wait.ts'

const ATTEMPTS = 6
const FIRST_BACKOFF_MS = 1000
const REJECTED = ['invalid_grant', 'invalid_permissions']

export interface TokenRequest {
  endpoint: string
  fields: Fields
  /** The answer brings the only refresh token that is valid from then on. */
  singleUse: boolean
  /** An answer to an earlier request with the same refresh token was lost. */
  uncertain: boolean
}

/**
 * Asks the token endpoint, and again after what may pass. A lost answer may have held the new
 * refresh token: what was refused after one is lost for good, whatever reason the endpoint gives.
 *
 * @throws REAUTHORIZE, AUTH_FAILED, RATE_LIMITED with the time, UPSTREAM_ERROR
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-6
 */
export async function requestToken(
  component: Component,
  env: Environment,
  request: TokenRequest,
): Promise<Answer> {
  let lost = request.uncertain
  for (let attempt = 1; ; attempt++) {
    env.ctx.signal.throwIfAborted()
    const outcome = await exchange(component, env, request).catch(asError)
    if (outcome instanceof Answer) {
      if (outcome.ok) return outcome
      if (!mayPass(outcome)) throw refusal(component, outcome, lost && request.singleUse)
    }
    if (!(outcome instanceof Answer) || outcome.status !== 429) lost = true
    await waitToAskAgain(env, request.endpoint, outcome, attempt, lost)
  }
}

async function exchange(
  component: Component,
  env: Environment,
  { endpoint, fields }: TokenRequest,
): Promise<Answer> {
  const bound = { env, parameters: component.parameters }
  const inQuery = component.flag('send_refresh_request_as_query_params')
  const url = inQuery ? withParameters(endpoint, fields) : endpoint
  const headers = new Headers()
  if (!inQuery) headers.set('content-type', 'application/x-www-form-urlencoded')
  const given = mappingTemplate(component.object('refresh_request_headers'), bound)()
  for (const [name, value] of given) {
    if (value !== null && value !== undefined) headers.set(name, str(value))
  }
  const response = await env.ctx.http.fetch(url, {
    ...{ method: 'POST', headers, body: inQuery ? undefined : encodeForm(fields) },
    ...{ attempts: 1, afterCancel: true },
  })
  return Answer.of(url, response)
}

const asError = (error: unknown) => (error instanceof Error ? error : new Error(String(error)))

const mayPass = ({ status }: Answer) => status === 429 || status >= 500

async function waitToAskAgain(
  env: Environment,
  endpoint: string,
  outcome: Answer | Error,
  attempt: number,
  lost: boolean,
): Promise<void> {
  const { host } = new URL(endpoint)
  const now = env.ctx.now()
  const isLimit = outcome instanceof Answer && outcome.status === 429
  const what = outcome instanceof Answer ? `answers ${outcome.status}` : outcome.message
  const asked =
    outcome instanceof Answer ? retryAfterMs(outcome.headers.get('retry-after'), now) : undefined
  const wait = asked ?? backoffMs(attempt, FIRST_BACKOFF_MS)
  if (attempt < ATTEMPTS && wait <= env.run.longestSleepMs) {
    env.ctx.log('info', `the token endpoint ${host} is asked again: ${what}`)
    await env.run.sleep(wait)
    return
  }
  const until = now + wait
  const message = `The token endpoint ${host} ${what}; it may be asked again at ${isoTime(until)}.`
  // Only what was certainly not answered may be called a mere limit.
  throw isLimit && !lost
    ? new AirbyteError('RATE_LIMITED', message, { retryAt: until })
    : new AirbyteError('UPSTREAM_ERROR', message, asked === undefined ? {} : { retryAt: until })
}

/** The endpoint's error code only: its prose and body may repeat credentials. */
function refusal(component: Component, answer: Answer, usedUp: boolean): AirbyteError {
  const { host } = new URL(answer.url)
  const updater = component.optionalChild('refresh_token_updater') ?? component
  const statuses = listOr(updater, 'refresh_token_error_status_codes', [400]).map(Number)
  const field = updater.optionalText('refresh_token_error_key') || 'error'
  const values = listOr(updater, 'refresh_token_error_values', REJECTED).map(String)
  const given = isMapping(answer.json) ? mappingGet(answer.json, field) : undefined
  const revoked = statuses.includes(answer.status) && values.includes(String(given))
  const said = typeof given === 'string' ? ` (${given.slice(0, 100)})` : ''
  const after = usedUp ? ' The answer to an earlier refresh was lost, and its token with it.' : ''
  return new AirbyteError(
    revoked || usedUp ? 'REAUTHORIZE' : 'AUTH_FAILED',
    `The token endpoint ${host} refused the credentials with ${answer.status}${said}.${after}`,
  )
}

function listOr(component: Component, field: string, byDefault: JsonValue[]): JsonValue[] {
  const given = component.list(field)
  return given.length > 0 ? given : byDefault
}

/** An object of templates, keys and values; a value that comes to nothing is null. */
export function mappingTemplate(
  source: JsonObject,
  bound: { env: Environment; parameters: JsonObject },
): () => Map<string, Value> {
  const entries = Object.entries(source).map(
    ([key, value]) =>
      [
        template(key, bound),
        typeof value === 'string'
          ? template(value, bound, { default: null })
          : () => value as JsonValue,
      ] as const,
  )
  return () => new Map(entries.map(([key, value]) => [str(key()), value()]))
}
