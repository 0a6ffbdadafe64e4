import { isMapping, mappingEntries } from '../../../../src/runtime/declarative/python/mappings.ts'
import { floatText } from '../../../../src/runtime/declarative/python/text.ts'
import { isFloat, isInt, Tuple } from '../../../../src/runtime/declarative/python/values.ts'

/** A value as JSON that keeps its Python type, in the form that test/oracle/templates/generate.py writes. */
export function tag(value: unknown): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (isInt(value)) return { int: String(value) }
  if (isFloat(value)) return { float: floatText(Number(value)) }
  if (value instanceof Tuple) return { tuple: Array.from(value, tag) }
  if (Array.isArray(value)) return { list: value.map(tag) }
  if (isMapping(value))
    return { dict: Array.from(mappingEntries(value), ([key, item]) => [tag(key), tag(item)]) }
  return { other: String(value) }
}
