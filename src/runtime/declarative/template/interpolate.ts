import { equal } from '../python/equality.ts'
import { PythonError } from '../python/errors.ts'
import { literalEval } from '../python/literal.ts'
import { isMapping, mappingEntries, mappingSize, setOwn } from '../python/mappings.ts'
import { str } from '../python/text.ts'
import { isFloat, isInt, Tuple, type Value } from '../python/values.ts'
import type { Context } from './frame.ts'
import { compileTemplate, failure, type Template } from './template.ts'

/** Python types that an evaluated text may become; of any other it stays text. */
export type ValidType = 'str' | 'int' | 'float' | 'bool' | 'list' | 'dict' | 'tuple'

export interface InterpolateOptions {
  /** Absent: any type. AddFields' `value_type: string` is `['str']`, request parameters `['str', 'list']`. */
  validTypes?: readonly ValidType[]
  /**
   * Template for an empty or undefined result. Absent: the template itself, which renders to empty
   * again. Null: the result is null (a request map drops the key).
   */
  default?: string | null
}

/**
 * Renders a template and reads the text as a Python literal: `"123"` becomes 123, `"True"` true,
 * `"[1]"` a list, anything else stays text. A type error while rendering gives the template itself,
 * as in the reference.
 * @throws AirbyteError TEMPLATE_INVALID, TEMPLATE_FAILED
 * @example
 * interpolateString("{{ record['zip'] }}", { record: { zip: '123' } }) // 123
 * interpolateString("{{ record['zip'] }}", { record: { zip: '123' } }, { validTypes: ['str'] }) // '123'
 */
export function interpolateString(
  source: string,
  context: Context,
  options: InterpolateOptions = {},
): Value {
  const { validTypes } = options
  const template = compileTemplate(source)
  const rendered = renderOrSource(template, context)
  if (!validTypes && isItself(rendered)) return rendered
  const text = rendered === undefined ? undefined : str(rendered)
  if (text) return evaluate(text, validTypes)
  const fallback = options.default === undefined ? source : options.default
  if (fallback === null) return null
  const other = compileTemplate(fallback)
  const value = other === template ? rendered : renderOrSource(other, context)
  if (value === undefined) throw locate(other, context, new Error('an undefined value was used'))
  return evaluate(str(value), validTypes)
}

/** Whether the value, printed and read back, would be the same: it need not go through text. */
const isItself = (value: Value): boolean =>
  typeof value === 'boolean' || value === null || Number.isSafeInteger(value)

/**
 * The rendered text, or the value when the template is one expression; the template itself on a
 * type error, undefined when it used an undefined value.
 */
function renderOrSource(template: Template, context: Context): Value {
  try {
    return template.single ? template.single(context) : template.renderRaw(context)
  } catch (error) {
    if (error instanceof PythonError) {
      if (error.type === 'UndefinedError') return undefined
      if (error.type === 'TypeError') return template.source
    }
    throw locate(template, context, error)
  }
}

/** Renders once more with bookkeeping, to name the place of a failure. */
function locate(template: Template, context: Context, error: unknown): unknown {
  try {
    template.render(context)
  } catch (located) {
    return located
  }
  return failure(template.source, 0, error)
}

function evaluate(text: string, validTypes: readonly ValidType[] | undefined): Value {
  const value = literalEval(text)
  if (value === undefined) return text
  return !validTypes || validTypes.some((type) => isOfType(value, type)) ? value : text
}

function isOfType(value: Value, type: ValidType): boolean {
  switch (type) {
    case 'str':
      return typeof value === 'string'
    case 'int':
      return isInt(value) || typeof value === 'boolean'
    case 'float':
      return isFloat(value)
    case 'bool':
      return typeof value === 'boolean'
    case 'list':
      return Array.isArray(value) && !(value instanceof Tuple)
    case 'tuple':
      return value instanceof Tuple
    case 'dict':
      return isMapping(value)
  }
}

const FALSE_TEXTS = new Set(['False', 'false', '{}', '[]', '()', '', '0', '0.0'])

export interface ConditionOptions {
  /** As in older versions of the language, a null result is true. */
  nullIsTrue?: boolean
}

/**
 * A condition. False are False, None, 0, 0.0, empty collections and the texts `False`, `false`,
 * `0`, `0.0`, `{}`, `[]`, `()` and none; everything else is true, also `"no"` and `" "`.
 * An undefined result is false.
 */
export function interpolateBoolean(
  condition: string | boolean,
  context: Context,
  { nullIsTrue = false }: ConditionOptions = {},
): boolean {
  if (typeof condition === 'boolean') return condition
  const value = interpolateString(condition, context, { default: 'False' })
  if (typeof value === 'string') return !FALSE_TEXTS.has(value)
  if (value === null) return nullIsTrue
  if (equal(value, false)) return false
  if (Array.isArray(value)) return value.length > 0
  return !isMapping(value) || mappingSize(value) > 0
}

/**
 * A flat map whose keys and values are templates. Values that are no text stay as they are; a value
 * that renders empty is null.
 */
export function interpolateMapping(
  mapping: { readonly [key: string]: Value },
  context: Context,
  options: { validTypes?: readonly ValidType[] } = {},
): { [key: string]: Value } {
  const result: { [key: string]: Value } = {}
  for (const [key, value] of Object.entries(mapping)) {
    const name = interpolateString(key, context, { validTypes: ['str'], default: null })
    const { validTypes } = options
    setOwn(
      result,
      String(name ?? 'None'),
      typeof value === 'string'
        ? interpolateString(value, context, { validTypes, default: null })
        : value,
    )
  }
  return result
}

/** A tree whose keys and texts are templates, at any depth; null values of maps are dropped. */
export function interpolateNested(value: Value, context: Context): Value {
  if (typeof value === 'string') return interpolateString(value, context, { default: null })
  if (Array.isArray(value)) return value.map((item) => interpolateNested(item, context))
  if (!isMapping(value)) return value
  const result: { [key: string]: Value } = {}
  for (const [key, item] of mappingEntries(value)) {
    const evaluated = interpolateNested(item, context)
    if (evaluated === null) continue
    const name = interpolateNested(key, context)
    setOwn(result, typeof name === 'string' ? name : keyText(name), evaluated)
  }
  return result
}

const keyText = (name: Value) => (name === null ? 'null' : String(name))
