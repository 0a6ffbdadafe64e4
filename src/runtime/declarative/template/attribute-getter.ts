import { isInt, type Value } from '../python/values.ts'
import { getItem } from './attributes.ts'
import { Undefined } from './undefined.ts'

/** Reads `a.b.0` of an item, as `map(attribute=…)` and its kind do; null and absent give the item. */
export function attributeGetter(path: Value, fallback?: Value): (item: Value) => Value {
  const parts = partsOf(path)
  return (item) => {
    let value = item
    for (const part of parts) {
      value = value instanceof Undefined ? value.fail() : getItem(value, part)
      if (value instanceof Undefined && fallback !== undefined && fallback !== null)
        value = fallback
    }
    return value
  }
}

function partsOf(path: Value): Value[] {
  if (path === undefined || path === null) return []
  if (isInt(path)) return [path]
  return String(path)
    .split('.')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part))
}
