import { AirbyteError, type JsonObject } from '../../../protocol/index.ts'
import { type Builders, build, type Component } from '../component.ts'
import { template } from '../interpolation.ts'
import { parseDuration } from '../python/duration.ts'
import { Timedelta } from '../python/timedelta.ts'
import type { Answer } from './answer.ts'
import { type Matcher, requestMatcher } from './matchers.ts'
import type { Outgoing } from './send.ts'

/** How many calls an API allows; shared by all streams of a source. */
export interface CallBudget {
  /** Takes a call. @returns milliseconds to wait before asking again; 0 when it was taken */
  take(request: Outgoing, now: number): number
  /** What an answer says of the calls that are left. */
  learn(request: Outgoing, answer: Answer, now: number): void
}

interface Policy {
  matchers: Matcher[]
  /** Milliseconds until so many calls may be made; 0: they are taken. */
  take(calls: number, now: number): number
  /** @param left calls; @param resetAt epoch milliseconds */
  learn(left: number | undefined, resetAt: number | undefined, now: number): void
}

/** The manifest's `api_budget`; undefined where it has none. */
export function callBudget(root: Component, config: JsonObject): CallBudget | undefined {
  const component = root.optionalChild('api_budget')
  return component && build(BUDGETS, component, config)
}

const BUDGETS: Builders<CallBudget, JsonObject> = {
  HTTPAPIBudget(component, config) {
    const policies = component.children('policies').map((child) => build(POLICIES, child, config))
    const resetHeader = component.optionalText('ratelimit_reset_header') ?? 'ratelimit-reset'
    const leftHeader = component.optionalText('ratelimit_remaining_header') ?? 'ratelimit-remaining'
    const statuses = component.list('status_codes_for_ratelimit_hit').map(Number)
    const isHit = (status: number) => (statuses.length > 0 ? statuses : [429]).includes(status)
    const policyFor = (request: Outgoing) =>
      policies.find(({ matchers }) => matchers.length === 0 || matched(matchers, request))
    return {
      take(request, now) {
        const policy = policyFor(request)
        return policy ? policy.take(matched(policy.matchers, request)?.weight ?? 1, now) : 0
      },
      learn(request, { headers, status }, now) {
        const left = numberIn(headers, leftHeader) ?? (isHit(status) ? 0 : undefined)
        const reset = numberIn(headers, resetHeader)
        policyFor(request)?.learn(left, reset === undefined ? undefined : reset * 1000, now)
      },
    }
  },
}

const matched = (matchers: Matcher[], request: Outgoing) =>
  matchers.find((matcher) => matcher.matches(request))

function numberIn(headers: Headers, name: string): number | undefined {
  const text = headers.get(name)
  return text && /^\s*-?\d+\s*$/.test(text) ? Number(text) : undefined
}

const POLICIES: Builders<Policy, JsonObject> = {
  UnlimitedCallRatePolicy: (component, config) => ({
    ...{ matchers: matchersOf(component, config), take: () => 0, learn() {} },
  }),

  FixedWindowCallRatePolicy(component, config) {
    const period = millisOf(component, 'period')
    const limit = Number(component.required('call_limit'))
    let taken = 0
    // The first call begins a window, until an answer says when the API's own ends.
    let endsAt: number | undefined
    const roll = (now: number) => {
      if (endsAt !== undefined && now <= endsAt) return
      endsAt = endsAt === undefined || now - endsAt > period ? now + period : endsAt + period
      taken = 0
    }
    return {
      matchers: matchersOf(component, config),
      take(calls, now) {
        refuseTooHeavy(component, calls, limit)
        roll(now)
        if (taken + calls > limit) return (endsAt as number) - now + 1
        taken += calls
        return 0
      },
      learn(left, resetAt, now) {
        roll(now)
        // More than we count may be left to others: only less is believed.
        if (left !== undefined && limit - taken > left) taken = limit - left
        if (resetAt !== undefined) endsAt = resetAt
      },
    }
  },

  MovingWindowCallRatePolicy(component, config) {
    const rates = component.children('rates').map((rate) => rateOf(rate, config))
    if (rates.length === 0) throw component.refuse('At least one rate is needed.', 'rates')
    const longest = Math.max(...rates.map(({ interval }) => interval))
    const least = Math.min(...rates.map(({ limit }) => limit))
    let calls: number[] = []
    const since = (moment: number) => calls.length - calls.findLastIndex((at) => at < moment) - 1
    return {
      matchers: matchersOf(component, config),
      take(weight, now) {
        refuseTooHeavy(component, weight, least)
        calls = calls.filter((at) => at >= now - longest)
        for (const { limit, interval } of rates) {
          if (limit - since(now - interval) >= weight) continue
          const oldest = calls[calls.length - 1 - limit + weight] as number
          return oldest + interval - now + 1
        }
        for (let call = 0; call < weight; call++) calls.push(now)
        return 0
      },
      learn(left, resetAt, now) {
        if (left !== 0 || resetAt !== undefined) return
        const free = Math.min(...rates.map(({ limit, interval }) => limit - since(now - interval)))
        for (let call = 0; call < free; call++) calls.push(now)
      },
    }
  },
}

const matchersOf = (component: Component, config: JsonObject) =>
  component.children('matchers').map((child) => requestMatcher(child, config))

function rateOf(rate: Component, config: JsonObject): { limit: number; interval: number } {
  const source = String(rate.required('limit'))
  const limit = Number(template(source, { env: { config }, parameters: {} })())
  if (!Number.isInteger(limit)) throw rate.refuse('It is not a whole number.', 'limit')
  return { limit, interval: millisOf(rate, 'interval') }
}

function millisOf(component: Component, field: string): number {
  const duration = parseDuration(component.text(field))
  if (duration instanceof Timedelta) return duration.totalSeconds() * 1000
  throw component.refuse('A duration of months or years has no fixed length.', field)
}

function refuseTooHeavy(component: Component, weight: number, limit: number): void {
  if (weight <= limit) return
  const message = `${component.path}: a request counts for ${weight} calls, and ${limit} are allowed.`
  throw new AirbyteError('VALIDATION_FAILED', message)
}
