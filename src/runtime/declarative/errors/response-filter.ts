import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { condition, template } from '../interpolation.ts'
import { str } from '../python/text.ts'
import { Answer, headersOf } from '../requester/answer.ts'
import { errorTextOf } from './message.ts'
import {
  type Action,
  defaultResolution,
  type FailureType,
  type Outcome,
  type Resolution,
} from './resolution.ts'

export type ResponseFilter = (outcome: Outcome) => Resolution | undefined

const ACTIONS = new Set<string>([
  'SUCCESS',
  'FAIL',
  'RETRY',
  'IGNORE',
  'RATE_LIMITED',
  'RESET_PAGINATION',
  'REDUCE_PAGE_SIZE',
  'SPLIT_REQUEST_WINDOW',
  'REFRESH_TOKEN_THEN_RETRY',
])

/** Matches on a status, or a predicate, or a text in the API's error message; also on 200s. */
export function responseFilter(component: Component, env: Environment): ResponseFilter {
  const action = component.optionalText('action') ?? ''
  if (action && !ACTIONS.has(action)) {
    throw component.refuse(`The action '${action}' is not known.`, 'action')
  }
  const codes = new Set(component.list('http_codes').map(Number))
  const bound = { env, parameters: component.parameters }
  const source = component.optionalText('predicate')
  // A predicate sees no config.
  const predicate = source
    ? condition(source, { ...bound, env: { config: {}, language: env.language } })
    : () => false
  const contained = component.optionalText('error_message_contains')
  const message = template(component.optionalText('error_message') ?? '', bound)
  const failureType = component.optionalText('failure_type') as FailureType | undefined

  return (outcome) => {
    if (!(outcome instanceof Answer) || !action) return undefined
    const scope = () => ({
      response: outcome.json === undefined ? {} : outcome.json,
      headers: headersOf(outcome),
      request_url: withoutQuery(outcome.url),
    })
    const matches =
      codes.has(outcome.status) ||
      (source && predicate(scope())) ||
      (contained && errorTextOf(outcome)?.includes(contained))
    if (!matches) return undefined
    const byStatus = outcome.ok ? undefined : defaultResolution(outcome)
    return {
      action: action as Action,
      failureType:
        action === 'FAIL' && failureType ? failureType : (byStatus?.failureType ?? 'system_error'),
      message: str(message(scope())) || byStatus?.message,
    }
  }
}

function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
