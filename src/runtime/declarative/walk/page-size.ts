import { AirbyteError, type JsonObject } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import type { Stream } from '../stream/build.ts'
import { asksFor } from './actions.ts'
import { refuseUnsized } from './page-size-rules.ts'

/** How the page size falls when the API finds pages too large. */
export interface PageSizeRules {
  /** What the paginator asks for; only known with the config. */
  configured: number | undefined
  factor: number
  least: number
  attempts: number
  backoffSeconds: number
  retriesAtLeast: number
  restores: boolean
  hint: string | undefined
}

/** @throws VALIDATION_FAILED where smaller pages would skip or repeat records */
export function pageSizeRules({ retriever, env }: Stream): PageSizeRules | undefined {
  const component = retriever.optionalChild('page_size_reduction')
  const isAsked = asksFor('REDUCE_PAGE_SIZE', retriever.child('requester'))
  if (!component) {
    if (!isAsked) return undefined
    throw retriever.refuse('The action REDUCE_PAGE_SIZE needs it.', 'page_size_reduction')
  }
  if (!isAsked) {
    env.ctx.log('warn', `${env.stream}: no response filter has the action REDUCE_PAGE_SIZE.`)
  }
  const rules: PageSizeRules = {
    configured: undefined,
    factor: numberIn(component, 'reduction_factor', 2, (value) => value > 1),
    least: numberIn(component, 'minimum_page_size', 1, (value) => value >= 1),
    attempts: numberIn(component, 'max_attempts', 5, (value) => value >= 1),
    backoffSeconds: numberIn(component, 'backoff_seconds', 0.5, (value) => value >= 0),
    retriesAtLeast: numberIn(component, 'retries_at_minimum_page_size', 0, (value) => value >= 0),
    restores: component.optionalText('reset_policy') === 'AFTER_SUCCESSFUL_PAGE',
    hint: component.optionalText('failure_message')?.trim() || undefined,
  }
  return { ...rules, configured: refuseUnsized(component, retriever, env, rules.least) }
}

function numberIn(
  component: Component,
  field: string,
  byDefault: number,
  isValid: (value: number) => boolean,
): number {
  const value = component.get(field) ?? byDefault
  if (typeof value === 'number' && isValid(value)) return value
  throw component.refuse(`${JSON.stringify(value)} is out of bounds.`, field)
}

/** The page size in effect while one run of pages is walked. */
export class PageSize {
  readonly #rules: PageSizeRules | undefined
  readonly #stream: string
  /** Undefined: as the paginator says. */
  current: number | undefined
  /** Reductions in a row without a page. */
  #attempts: number
  #retries: number

  constructor(rules: PageSizeRules | undefined, stream: string, saved?: JsonObject) {
    this.#rules = rules
    this.#stream = stream
    this.current = typeof saved?.current === 'number' ? saved.current : undefined
    this.#attempts = Number(saved?.attempts ?? 0)
    this.#retries = Number(saved?.retries ?? 0)
  }

  /** Nothing as long as it is as at the start. */
  save(): { size?: JsonObject } {
    const { current } = this
    const [attempts, retries] = [this.#attempts, this.#retries]
    if (current === undefined && attempts === 0 && retries === 0) return {}
    return { size: { ...(current === undefined ? {} : { current }), attempts, retries } }
  }

  /**
   * Makes pages smaller.
   *
   * @returns seconds to wait before the same page is asked for again
   * @throws UPSTREAM_ERROR when they are as small as they may be
   */
  reduce(said: string): number {
    const rules = this.#rules
    if (!rules)
      throw this.#failure('SOURCE_MISCONFIGURED', 'the retriever does not reduce it', said)
    const now = this.current ?? rules.configured
    if (now === undefined) {
      throw this.#failure('SOURCE_MISCONFIGURED', 'the paginator has no page_size', said)
    }
    const next = Math.max(rules.least, Math.floor(now / rules.factor))
    if (next >= now) return this.#retry(rules, now, said)
    if (this.#attempts >= rules.attempts) {
      throw this.#failure('UPSTREAM_ERROR', `pages of ${now} are too large for it still`, said)
    }
    this.#attempts++
    this.current = next
    return rules.backoffSeconds * this.#attempts
  }

  succeeded(): void {
    this.#attempts = 0
    this.#retries = 0
    if (this.#rules?.restores) this.current = undefined
  }

  #retry(rules: PageSizeRules, now: number, said: string): number {
    if (this.#retries < rules.retriesAtLeast) {
      this.#retries++
      return rules.backoffSeconds * this.#retries
    }
    if (this.current === undefined && rules.least > 1) {
      const problem = `the page size ${now} is no larger than minimum_page_size`
      throw this.#failure('SOURCE_MISCONFIGURED', problem, said)
    }
    throw this.#failure('UPSTREAM_ERROR', `pages of ${now} are too large for it still`, said)
  }

  #failure(code: 'UPSTREAM_ERROR' | 'SOURCE_MISCONFIGURED', problem: string, said: string) {
    const stream = this.#stream
    const because = said ? `: ${said}` : ''
    return new AirbyteError(
      code,
      `${stream}: the API asks for smaller pages, ${problem}${because}.`,
      {
        stream,
        ...(this.#rules?.hint ? { hint: this.#rules.hint } : {}),
      },
    )
  }
}
