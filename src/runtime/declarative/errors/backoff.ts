import { AirbyteError, toAirbyteError } from '../../../protocol/index.ts'
import { type Builders, build, type Component } from '../component.ts'
import { customPart } from '../custom/part.ts'
import type { Environment } from '../environment.ts'
import {
  hasExpression,
  type Scope,
  type Template,
  template,
  textTemplate,
} from '../interpolation.ts'
import { PythonError } from '../python/errors.ts'
import { parseFloatText } from '../python/numbers.ts'
import { headOf } from '../python/pattern.ts'
import { compileRegex } from '../python/regex.ts'
import { asNumber } from '../python/values.ts'
import { Answer, headersOf } from '../requester/answer.ts'
import { compileTemplate } from '../template/index.ts'
import type { Outcome } from './resolution.ts'

/** Seconds to wait after this outcome of the nth attempt; undefined when the strategy has no answer. */
export type Backoff = (outcome: Outcome, attempt: number) => number | undefined

export const buildBackoff = (component: Component, env: Environment) =>
  build(BACKOFFS, component, env)

const BACKOFFS: Builders<Backoff, Environment> = {
  CustomBackoffStrategy: (component, env) =>
    customPart('backoffStrategy', component, env.custom, { env }),

  ConstantBackoffStrategy(component, env) {
    const seconds = number(component, 'backoff_time_in_seconds', env)
    const jitter = jitterOf(component, env)
    return () => (seconds() ?? 0) + jitter()
  },

  ExponentialBackoffStrategy(component, env) {
    const factor = number(component, 'factor', env, 5)
    const jitter = jitterOf(component, env)
    return (_outcome, attempt) => (factor() ?? 5) * 2 ** attempt + jitter()
  },

  WaitTimeFromHeader(component, env) {
    const read = headerNumber(component, env)
    const longest = number(component, 'max_waiting_time_in_seconds', env)
    return (outcome) => {
      const seconds = read(outcome)
      const limit = longest()
      if (seconds && limit !== undefined && seconds >= limit) throw tooLong(env, seconds)
      return seconds
    }
  },

  WaitUntilTimeFromHeader(component, env) {
    const read = headerNumber(component, env)
    const shortest = number(component, 'min_wait', env)
    const longest = number(component, 'max_waiting_time_in_seconds', env)
    return (outcome) => {
      const until = read(outcome)
      const least = shortest()
      const seconds = until ? until - env.ctx.now() / 1000 : undefined
      const wait =
        seconds === undefined
          ? least || undefined
          : least
            ? Math.max(seconds, least)
            : seconds < 0
              ? undefined
              : seconds
      const limit = longest()
      if (wait !== undefined && limit !== undefined && wait >= limit) throw tooLong(env, wait)
      return wait
    }
  },

  WaitTimeFromResponse: waitFromResponse,
}

/** What a template of its own makes of the answer, in seconds; none where it makes no number of it. */
function waitFromResponse(component: Component, env: Environment): Backoff {
  const source = component.text('wait_time_in_seconds')
  const strange = compileTemplate(source).names.filter((name) => !RESPONSE_NAMES.has(name))
  if (strange.length > 0) {
    const known = [...RESPONSE_NAMES].join(', ')
    const message = `It reads ${strange.join(', ')}; known are ${known}.`
    throw component.refuse(message, 'wait_time_in_seconds')
  }
  const evaluate = template(source, { env, parameters: component.parameters }, { default: null })
  const longest = number(component, 'max_waiting_time_in_seconds', env)
  return (outcome) => {
    const isAnswer = outcome instanceof Answer
    const scope = {
      response: (isAnswer ? outcome.json : undefined) ?? {},
      headers: isAnswer ? headersOf(outcome) : {},
    }
    const seconds = secondsOf(evaluate, scope, source)
    const limit = longest()
    if (seconds && limit !== undefined && seconds >= limit) throw tooLong(env, seconds)
    return seconds
  }
}

const RESPONSE_NAMES = new Set(['config', 'parameters', 'response', 'headers'])

/** The answer may be of another form than the template was written for: then it says nothing. */
function secondsOf(evaluate: Template, scope: Scope, source: string): number | undefined {
  let value: unknown
  try {
    value = evaluate(scope)
  } catch (error) {
    if (toAirbyteError(error).code === 'TEMPLATE_FAILED') return undefined
    throw error
  }
  if (value === source || value === null) return undefined
  const seconds = typeof value === 'string' ? parseFloatText(value) : asNumber(value)
  return seconds !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined
}

function tooLong(env: Environment, seconds: number): AirbyteError {
  return new AirbyteError(
    'RATE_LIMITED',
    `The API asked to wait ${seconds} s, longer than the manifest allows.`,
    { stream: env.stream, retryAt: env.ctx.now() + seconds * 1000 },
  )
}

function jitterOf(component: Component, env: Environment): () => number {
  const range = number(component, 'jitter_range_in_seconds', env)
  return () => Math.random() * 2 * (range() ?? 0)
}

function number(
  component: Component,
  field: string,
  env: Environment,
  byDefault?: number,
): () => number | undefined {
  const given = component.get(field)
  if (given === undefined) return () => byDefault
  if (typeof given === 'number') return () => given
  const evaluate = template(String(given), { env, parameters: component.parameters })
  return () => {
    const value = evaluate()
    const parsed = typeof value === 'string' ? Number(value || Number.NaN) : asNumber(value)
    if (Number.isFinite(parsed)) return parsed
    if (hasExpression(String(given))) return byDefault
    throw component.refuse(`'${field}' is not a number.`, field)
  }
}

/** The number in a header, or in the part of it that the pattern matches from its start. */
function headerNumber(
  component: Component,
  env: Environment,
): (outcome: Outcome) => number | undefined {
  const bound = { env, parameters: component.parameters }
  const header = textTemplate(component.text('header'), bound)
  const source = component.optionalText('regex')
  const pattern = source ? patternOf(textTemplate(source, bound)(), component) : undefined
  return (outcome) => {
    if (!(outcome instanceof Answer)) return undefined
    const text = outcome.headers.get(header())
    if (!text) return undefined
    const value = parseFloatText(pattern?.(text) ?? text)
    return value !== undefined && Number.isFinite(value) ? value : undefined
  }
}

/** The part of a text that a pattern matches from its start; undefined when it does not. */
function patternOf(source: string, component: Component): (text: string) => string | undefined {
  try {
    compileRegex(source)
    return (text) => headOf(source, text)
  } catch (error) {
    if (!(error instanceof PythonError)) throw error
    throw component.refuse(`It is no regular expression: ${error.message}.`, 'regex')
  }
}
