import { AirbyteError } from '../../../protocol/index.ts'
import { equal } from '../python/equality.ts'
import { isMapping, mappingEntries } from '../python/mappings.ts'
import { str } from '../python/text.ts'
import type { Value } from '../python/values.ts'

/** The four places in a request into which its parts inject values. */
export type Place = 'request_parameter' | 'header' | 'body_data' | 'body_json'
export type Fields = Map<string, Value>
/** Fields by name, or a whole body as text. */
export type Input = Fields | string

/** What one part of the engine adds to a request. */
export type RequestOptions = Partial<Record<Place, Input>>

export const NO_OPTIONS: RequestOptions = {}

/**
 * All parts' options as one. A key that two of them give is an error, except in a JSON body, where
 * equal values and disjoint nested objects merge.
 *
 * @throws VALIDATION_FAILED for a collision
 */
export function combineOptions(parts: RequestOptions[]): RequestOptions {
  const combined: RequestOptions = {}
  for (const place of PLACES) {
    const inputs = parts.flatMap((part) => part[place] ?? []).filter(isFilled)
    if (inputs.length > 0) combined[place] = combineInputs(inputs, place)
  }
  return combined
}

const PLACES: Place[] = ['request_parameter', 'header', 'body_data', 'body_json']

const isFilled = (input: Input) => typeof input === 'string' || input.size > 0

function combineInputs(inputs: Input[], place: Place): Input {
  const [first] = inputs
  if (inputs.length === 1 && first !== undefined) return first
  const combined: Fields = new Map()
  for (const input of inputs) {
    if (typeof input === 'string') throw collision(place, 'a whole text and single fields')
    mergeInto(combined, input, place, [])
  }
  return combined
}

function mergeInto(target: Fields, source: Fields, place: Place, path: string[]): void {
  for (const [key, value] of source) {
    if (!target.has(key)) {
      target.set(key, value)
      continue
    }
    const present = target.get(key)
    const here = [...path, key]
    if (place !== 'body_json') throw collision(place, here.join('.'))
    if (isMapping(present) && isMapping(value)) {
      const nested = fieldsOf(present)
      mergeInto(nested, fieldsOf(value), place, here)
      target.set(key, Object.fromEntries(nested))
    } else if (!equal(present, value)) throw collision(place, here.join('.'))
  }
}

/** A mapping's entries with text keys, without those that are null when `dropNull`. */
export function fieldsOf(mapping: Value, dropNull = false): Fields {
  const fields: Fields = new Map()
  for (const [key, value] of mappingEntries(mapping)) {
    if (!dropNull || value !== null) fields.set(str(key), value)
  }
  return fields
}

const collision = (place: Place, what: string) =>
  new AirbyteError('VALIDATION_FAILED', `Two parts of a request set the same ${place}: ${what}.`)
