import { AirbyteError } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import { type Environment, sharedOf } from '../environment.ts'
import { template, textTemplate } from '../interpolation.ts'
import { parseDuration } from '../python/duration.ts'
import { str } from '../python/text.ts'
import { Timedelta } from '../python/timedelta.ts'
import { requestMatcher } from '../requester/matchers.ts'
import { type Quota, type StatusRequest, TokenPool } from './token-pool.ts'
import { type Authenticator, ownFieldsOf } from './types.ts'

/**
 * Several tokens that may stand for each other: requests go out with one until its quota is spent, then
 * with the next; when all are spent the read waits until the first of them has calls again.
 */
export function quotaTokens(component: Component, env: Environment): Authenticator {
  const pool = sharedOf(env.run, `tokens ${ownFieldsOf(component)}`, () => poolOf(component, env))
  return {
    options: async () => ({}),
    sign: (request) => pool.sign(request, env),
    learn: (request, answer) => pool.learn(request, answer),
    hasOther: (request) => pool.hasOther(request),
  }
}

function poolOf(component: Component, env: Environment): TokenPool {
  const bound = { env, parameters: {} }
  const tokens = tokensOf(component, env)
  if (tokens.length === 0) {
    throw new AirbyteError('AUTH_FAILED', `${component.path}: the config has no token.`)
  }
  const quotas = component.children('quotas').map((child) => quotaOf(child, env))
  if (quotas.length === 0) throw component.refuse('At least one quota is needed.', 'quotas')
  const wait = parseDuration(
    textTemplate(component.optionalText('max_wait_time') ?? 'PT2H', bound)(),
  )
  if (!(wait instanceof Timedelta)) {
    throw component.refuse('A duration of months or years has no fixed length.', 'max_wait_time')
  }
  return new TokenPool(tokens, quotas, {
    ...statusRequest(component.child('quota_status_source'), env),
    method: component.optionalText('auth_method') ?? 'Bearer',
    header: component.optionalText('header') ?? 'Authorization',
    longestWait: wait.totalSeconds() * 1000,
    reserveFraction: Number(component.get('budget_reserve_fraction') ?? 0.1),
    leastReserve: Number(component.get('budget_min_reserve') ?? 50),
  })
}

function tokensOf(component: Component, env: Environment): string[] {
  const bound = { env, parameters: {} }
  const given = component.required('tokens')
  const texts = Array.isArray(given)
    ? given.map((token) => textTemplate(String(token), bound)())
    : textTemplate(String(given), bound)().split(component.optionalText('token_delimiter') ?? ',')
  return texts.map((token) => token.trim()).filter(Boolean)
}

function quotaOf(component: Component, env: Environment): Quota {
  const path = (field: string) => component.list(field).map(String)
  const [remaining, reset, limit] = ['remaining', 'reset', 'limit'].map((name) =>
    component.optionalText(`${name}_header`),
  )
  return {
    name: component.text('name'),
    matchers: component.children('matchers').map((child) => requestMatcher(child, env.config)),
    paths: {
      remaining: path('remaining_path'),
      reset: path('reset_path'),
      limit: path('limit_path'),
    },
    headers: { ...(remaining && { remaining }), ...(reset && { reset }), ...(limit && { limit }) },
    exhausted: new Set(path('exhaustion_status_codes').map(Number)),
  }
}

function statusRequest(source: Component, env: Environment): StatusRequest {
  const bound = { env, parameters: {} }
  const headers = Object.entries(source.object('request_headers'))
  const unavailable = new Set(source.list('unavailable_status_codes').map(Number))
  return {
    statusUrl: textTemplate(source.text('url'), bound)(),
    statusMethod: source.optionalText('http_method') ?? 'GET',
    statusHeaders: headers
      .filter(([name]) => name !== '$parameters')
      .map(([name, value]) => [name, str(template(String(value), bound)())]),
    unavailable,
  }
}
