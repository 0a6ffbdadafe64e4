import { isObject, type JsonValue } from '../../../protocol/index.ts'

/** Python's truth of a manifest value. */
export function isFilled(value: JsonValue | undefined): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (isObject(value)) return Object.keys(value).length > 0
  return Boolean(value)
}
