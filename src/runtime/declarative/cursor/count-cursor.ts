import { isObject, type JsonObject, type JsonValue } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { template } from '../interpolation.ts'
import { asIndex, isFloat, isInt, type Value } from '../python/values.ts'
import { requestOption } from '../requester/request-option.ts'
import { cursorField } from './field.ts'
import type { CursorProgress, StreamCursor } from './types.ts'

type Count = number | bigint

/** Reads a stream by a number that grows, in one interval without an end. */
export function countCursor(component: Component, env: Environment): StreamCursor<Count> {
  const field = cursorField(component, env)
  const start = startOf(component, env)
  const option = component.optionalChild('start_value_option')
  const inject = option && requestOption(option, env)

  return {
    field,
    ...{ ends: null, startKey: 'start', endKey: 'end' },
    ...{ clientSide: false, dataFeed: false, global: false },
    options: (interval) => (inject ? inject(interval.start) : {}),
    valueOf: (record) => countOf(record[field]),
    ...{ later, format: written, save: written },
    load: (saved) => countOf(saved) ?? 0,
    progress(state) {
      const [range] = Array.isArray(state.slices) ? state.slices : []
      const known = isObject(range) ? (range.most_recent_cursor_value ?? range.end) : state[field]
      return progressFrom(field, later(start, countOf(known) ?? start), range ? {} : state)
    },
    restore(saved) {
      const { at, rest } = saved as { at: JsonValue; rest: JsonObject }
      return progressFrom(field, countOf(at) ?? start, rest)
    },
  }
}

function progressFrom(field: string, from: Count, rest: JsonObject): CursorProgress<Count> {
  let at = from
  return {
    state: () => ({ ...rest, [field]: written(at) }),
    serialize: () => ({ at: written(at), rest }),
    intervals: () => [{ start: written(from), end: Number.POSITIVE_INFINITY }],
    close(_interval, recent) {
      if (recent !== undefined) at = later(at, recent)
    },
    wants: (value) => value >= from,
  }
}

const later = (a: Count, b: Count) => (b > a ? b : a)

/** As JSON holds it: a number too large for one is the text of its digits. */
const written = (value: Count): JsonValue => {
  const number = Number(value)
  return typeof value === 'number' || Number.isSafeInteger(number) ? number : String(value)
}

function countOf(value: Value): Count | undefined {
  if (isInt(value)) return value
  if (isFloat(value)) return Number(value)
  if (typeof value !== 'string' || !/^-?\d+$/.test(value)) return undefined
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : BigInt(value)
}

function startOf(component: Component, env: Environment): number {
  const given = component.get('start_value')
  if (given === undefined) return 0
  const value = template(String(given), { env, parameters: component.parameters })()
  try {
    return asIndex(value)
  } catch {
    throw component.refuse('It is not a whole number.', 'start_value')
  }
}
