import { isMapping, mappingGet } from '../python/mappings.ts'
import { truthy, type Value } from '../python/values.ts'
import type { Answer } from '../requester/answer.ts'

/** The text by which an API says what went wrong, from the fields that APIs use for it. */
export function errorTextOf(answer: Answer): string | undefined {
  return answer.json === undefined ? answer.text : textIn(answer.json)
}

const FIELDS = [
  'message',
  'messages',
  'error',
  'errors',
  'failures',
  'failure',
  'detail',
  'err',
  'error_message',
  'msg',
  'reason',
  'status_message',
]

function textIn(value: Value): string | undefined {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.flatMap((item) => textIn(item) ?? []).join(', ')
  if (!isMapping(value)) return undefined
  for (const field of FIELDS) {
    const inner = mappingGet(value, field)
    if (truthy(inner)) return textIn(inner)
  }
  return undefined
}
