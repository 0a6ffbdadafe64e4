import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { template } from '../interpolation.ts'
import { isInt } from '../python/values.ts'
import type { JobRules } from './jobs.ts'

const TIMEOUT_MINUTES = 60

/** How long the jobs of a retriever may take, and how many there may be. */
export function jobRules(component: Component, env: Environment): JobRules {
  const minutes = wholeNumber(component, 'polling_job_timeout', env) ?? TIMEOUT_MINUTES
  const seconds = wholeNumber(component, 'failed_retry_wait_time_in_seconds', env)
  if (seconds !== undefined && seconds < 1) {
    throw component.refuse('It is at least a second.', 'failed_retry_wait_time_in_seconds')
  }
  return {
    timeoutMs: minutes * 60_000,
    retryWaitMs: seconds === undefined ? undefined : seconds * 1000,
    limit: env.run.jobLimit,
  }
}

function wholeNumber(component: Component, field: string, env: Environment): number | undefined {
  const given = component.get(field)
  if (!given) return undefined
  // A job knows no parameters, as in the CDK.
  const value =
    typeof given === 'number' ? given : template(String(given), { env, parameters: {} })()
  if (isInt(value)) return Number(value)
  throw component.refuse(`'${field}' is not a whole number.`, field)
}
