import { type Builders, build, type Component } from '../component.ts'
import { customPart } from '../custom/part.ts'
import type { Environment } from '../environment.ts'
import { template } from '../interpolation.ts'
import { asIndex } from '../python/values.ts'
import { Answer } from '../requester/answer.ts'
import { type Backoff, buildBackoff } from './backoff.ts'
import {
  type Action,
  defaultResolution,
  type Outcome,
  type Resolution,
  SUCCESS,
} from './resolution.ts'
import { responseFilter } from './response-filter.ts'

/** Says what an outcome means and how often and when the request is sent again. */
export interface ErrorHandler {
  interpret(outcome: Outcome): Resolution
  /** Retries after the first attempt. */
  maxRetries: number
  backoffs: Backoff[]
}

const DEFAULT_RETRIES = 5
const UNDECIDED = new Set<Action>(['FAIL', 'RATE_LIMITED', 'REFRESH_TOKEN_THEN_RETRY'])

export const DEFAULT_HANDLER: ErrorHandler = {
  interpret: (outcome) =>
    outcome instanceof Answer && outcome.ok ? SUCCESS : defaultResolution(outcome),
  maxRetries: DEFAULT_RETRIES,
  backoffs: [],
}

export const buildErrorHandler = (component: Component, env: Environment): ErrorHandler =>
  build(HANDLERS, component, env)

const HANDLERS: Builders<ErrorHandler, Environment> = {
  CustomErrorHandler: (component, env) =>
    customPart('errorHandler', component, env.custom, { env }),

  DefaultErrorHandler(component, env) {
    const filters = component
      .children('response_filters')
      .map((child) => responseFilter(child, env))
    return {
      interpret(outcome) {
        for (const filter of filters) {
          const resolution = filter(outcome)
          if (resolution) return resolution
        }
        return DEFAULT_HANDLER.interpret(outcome)
      },
      maxRetries: retries(component, env),
      backoffs: component.children('backoff_strategies').map((child) => buildBackoff(child, env)),
    }
  },

  CompositeErrorHandler(component, env) {
    const handlers = component
      .children('error_handlers')
      .map((child) => buildErrorHandler(child, env))
    const [first] = handlers
    if (!first) throw component.refuse('At least one error handler is needed.', 'error_handlers')
    return {
      interpret(outcome) {
        let last = SUCCESS
        for (const handler of handlers) {
          last = handler.interpret(outcome)
          // These count only when no later handler knows better.
          if (!UNDECIDED.has(last.action)) return last
        }
        return last
      },
      maxRetries: first.maxRetries,
      // One list for all: the first strategy with an answer counts for any error.
      backoffs: handlers.flatMap((handler) => handler.backoffs),
    }
  },
}

function retries(component: Component, env: Environment): number {
  const given = component.get('max_retries')
  if (given === undefined) return DEFAULT_RETRIES
  if (typeof given === 'number') return given
  const value = template(
    String(given),
    { env, parameters: component.parameters },
    { default: String(DEFAULT_RETRIES) },
  )()
  try {
    return asIndex(typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value)
  } catch {
    throw component.refuse("'max_retries' is not a whole number.", 'max_retries')
  }
}
