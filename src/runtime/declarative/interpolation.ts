import type { JsonObject } from '../../protocol/index.ts'
import type { Environment } from './environment.ts'
import { str } from './python/text.ts'
import type { Value } from './python/values.ts'
import { type InterpolateOptions, interpolateBoolean, interpolateString } from './template/index.ts'

/** The names that a template sees, besides `config` and `parameters`. */
export type Scope = { [name: string]: unknown }
/** A template with its config and parameters bound. */
export type Template<Result = unknown> = (scope?: Scope) => Result

/** With all but the record bound. */
export type RecordTemplate<Result = unknown> = (scope: Scope) => (record: Value) => Result

type Bound = { env: Pick<Environment, 'config' | 'language'>; parameters: JsonObject }

/**
 * A template bound to its component. A text without expressions is evaluated once.
 *
 * @example
 * template('{{ config.page_size }}', { env, parameters: {} })() // 100
 */
export function template(
  source: string,
  { env, parameters }: Bound,
  options: InterpolateOptions = {},
): Template {
  const evaluate = (scope?: Scope) =>
    interpolateString(source, { config: env.config, parameters, ...scope }, options)
  if (hasExpression(source)) return evaluate
  let constant: { value: unknown } | undefined
  return () => {
    constant ??= { value: evaluate() }
    return constant.value
  }
}

/** A template for one record after another of a slice: all else that it sees is put together once. */
export function recordTemplate(
  source: string,
  bound: Bound,
  options: InterpolateOptions = {},
): RecordTemplate {
  if (!hasExpression(source)) {
    const constant = template(source, bound, options)
    return () => () => constant()
  }
  return (scope) => {
    const context = recordContext(bound, scope)
    return (record) => {
      context.record = record
      return interpolateString(source, context, options)
    }
  }
}

/** The same for a condition. */
export function recordCondition(source: string, bound: Bound): RecordTemplate<boolean> {
  const nullIsTrue = bound.env.language?.was('nullIsTrue')
  return (scope) => {
    const context = recordContext(bound, scope)
    return (record) => {
      context.record = record
      return interpolateBoolean(source, context, { nullIsTrue })
    }
  }
}

const recordContext = ({ env, parameters }: Bound, scope: Scope): { [name: string]: Value } => ({
  ...{ config: env.config, parameters },
  ...(scope as { [name: string]: Value }),
  record: null,
})

/** A template whose result is taken as text, as Python's `str()` writes it. */
export function textTemplate(source: string, bound: Bound): Template<string> {
  const evaluate = template(source, bound)
  return (scope) => str(evaluate(scope))
}

/** A condition, with Airbyte's notion of what is false. */
export function condition(source: string, { env, parameters }: Bound): Template<boolean> {
  const nullIsTrue = env.language?.was('nullIsTrue')
  return (scope) =>
    interpolateBoolean(source, { config: env.config, parameters, ...scope }, { nullIsTrue })
}

export const hasExpression = (text: string) => text.includes('{{') || text.includes('{%')
