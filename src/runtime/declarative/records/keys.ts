import { setOwn } from '../python/mappings.ts'
import { isPlainObject, type Value } from '../python/values.ts'
import type { RecordData } from './types.ts'

/** The record with exactly these fields, in place. */
export function replaceFields(record: RecordData, fields: [string, Value][]): void {
  for (const key of Object.keys(record)) delete record[key]
  for (const [key, value] of fields) setOwn(record, key, value)
}

/** `HTTPResponse Code2` → `httpresponse_code_2` */
export function snakeCase(key: string): string {
  const ascii = key.normalize('NFKD').replace(/\p{M}/gu, '')
  let tokens = (ascii.match(/[A-Z]+[a-z]*|[a-z]+|\d+|[^a-zA-Z\d]+/g) ?? []).map((token) =>
    /[a-zA-Z\d]/.test(token) ? token : '',
  )
  if (tokens.length >= 3) {
    tokens = [tokens[0] as string, ...tokens.slice(1, -1).filter(Boolean), tokens.at(-1) as string]
  }
  if (/^\d+$/.test(tokens[0] ?? '')) tokens.unshift('')
  return tokens.map((token) => token.toLowerCase()).join('_')
}

/**
 * All leaves of a record by their own names; the parents' names come before only on a collision,
 * and everywhere once a list was met.
 */
export function flattenFields(record: RecordData, flattenLists: boolean): Map<string, Value> {
  const stack: [Value, string][] = [[record, '_']]
  const flat = new Map<string, Value>()
  let withParent = false
  for (let next = stack.pop(); next; next = stack.pop()) {
    const [value, name] = next
    if (isPlainObject(value)) {
      for (const [key, item] of Object.entries(value)) {
        stack.push([item, flat.has(key) || withParent ? `${name}.${key}` : key])
      }
    } else if (Array.isArray(value) && flattenLists) {
      withParent ||= value.length > 0
      value.forEach((item, index) => {
        stack.push([item, `${name}.${index}`])
      })
    } else flat.set(name, value)
  }
  return flat
}
