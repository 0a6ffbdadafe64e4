import { AirbyteError, type JsonObject } from '../../../protocol/index.ts'
import type { CallRate, CallRates } from '../../call-window.ts'
import { type Builders, build, type Component } from '../component.ts'
import type { Run } from '../environment.ts'
import { template } from '../interpolation.ts'
import { parseDuration } from '../python/duration.ts'
import { Timedelta } from '../python/timedelta.ts'
import type { Answer } from './answer.ts'
import { LeasedCalls } from './leased-calls.ts'
import { type Matcher, requestMatcher } from './matchers.ts'
import type { Outgoing } from './send.ts'

/** How many calls an API allows; shared by all streams of a source. */
export interface CallBudget {
  /** Takes a call. @returns milliseconds to wait before asking again; 0 when it was taken */
  take(request: Outgoing): Promise<number>
  /** What an answer says of the calls that are left. */
  learn(request: Outgoing, answer: Answer): Promise<void>
  /** Gives back what this run has taken and not used. */
  close(): Promise<void>
}

/** Calls of which so many are allowed; without rates as many as one likes. */
interface Policy {
  component: Component
  matchers: Matcher[]
  rates?: CallRates
}

interface Counted extends Policy {
  calls?: LeasedCalls
}

/** The manifest's `api_budget`; undefined where it has none. */
export function callBudget(
  root: Component,
  config: JsonObject,
  run: Pick<Run, 'owner' | 'now'>,
): CallBudget | undefined {
  const component = root.optionalChild('api_budget')
  return component && build(BUDGETS, component, { config, run })
}

const BUDGETS: Builders<CallBudget, { config: JsonObject; run: Pick<Run, 'owner' | 'now'> }> = {
  HTTPAPIBudget(component, { config, run }) {
    const policies = component.children('policies').map((child, index): Counted => {
      const policy = build(POLICIES, child, config)
      const { rates } = policy
      if (!rates) return policy
      const key = `${index} ${JSON.stringify(rates)}`
      return { ...policy, calls: new LeasedCalls({ key, rates, owner: run.owner, now: run.now }) }
    })
    const resetHeader = component.optionalText('ratelimit_reset_header') ?? 'ratelimit-reset'
    const leftHeader = component.optionalText('ratelimit_remaining_header') ?? 'ratelimit-remaining'
    const statuses = component.list('status_codes_for_ratelimit_hit').map(Number)
    const isHit = (status: number) => (statuses.length > 0 ? statuses : [429]).includes(status)
    const policyFor = (request: Outgoing) =>
      policies.find(({ matchers }) => matchers.length === 0 || matched(matchers, request))
    return {
      async take(request) {
        const policy = policyFor(request)
        if (!policy?.calls) return 0
        const weight = matched(policy.matchers, request)?.weight ?? 1
        refuseTooHeavy(policy, weight)
        return policy.calls.take(weight)
      },
      async learn(request, { headers, status }) {
        const left = numberIn(headers, leftHeader) ?? (isHit(status) ? 0 : undefined)
        const reset = numberIn(headers, resetHeader)
        await policyFor(request)?.calls?.learn({
          ...(left === undefined ? {} : { left }),
          ...(reset === undefined ? {} : { resetAt: reset * 1000 }),
        })
      },
      async close() {
        // What cannot be given back is free again when its lease has left the window.
        for (const { calls } of policies) await calls?.close().catch(() => {})
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
    ...{ component, matchers: matchersOf(component, config) },
  }),

  FixedWindowCallRatePolicy(component, config) {
    const limit = Number(component.required('call_limit'))
    const rates = [{ limit, interval: millisOf(component, 'period') }]
    return { component, matchers: matchersOf(component, config), rates: { window: 'fixed', rates } }
  },

  MovingWindowCallRatePolicy(component, config) {
    const rates = component.children('rates').map((rate) => rateOf(rate, config))
    if (rates.length === 0) throw component.refuse('At least one rate is needed.', 'rates')
    return {
      ...{ component, matchers: matchersOf(component, config), rates: { window: 'moving', rates } },
    }
  },
}

const matchersOf = (component: Component, config: JsonObject) =>
  component.children('matchers').map((child) => requestMatcher(child, config))

function rateOf(rate: Component, config: JsonObject): CallRate {
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

function refuseTooHeavy({ component, rates }: Policy, weight: number): void {
  const limit = Math.min(...(rates?.rates ?? []).map((rate) => rate.limit))
  if (weight <= limit) return
  const message = `${component.path}: a request counts for ${weight} calls, and ${limit} are allowed.`
  throw new AirbyteError('VALIDATION_FAILED', message)
}
