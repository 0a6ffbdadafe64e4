import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { textTemplate } from '../interpolation.ts'
import type { Value } from '../python/values.ts'
import type { Place, RequestOptions } from './options.ts'

/** Puts a value where a `RequestOption` says. */
export type Injector = (value: Value) => RequestOptions

const PLACES = new Set<string>(['request_parameter', 'header', 'body_data', 'body_json'])

export function requestOption(component: Component, env: Environment): Injector {
  const place = component.text('inject_into')
  if (!PLACES.has(place)) {
    throw component.refuse(`Values cannot be injected into '${place}'.`, 'inject_into')
  }
  if (component.has('field_name') === component.has('field_path')) {
    throw component.refuse('Exactly one of field_name and field_path is needed.')
  }
  if (component.has('field_path') && place !== 'body_json') {
    throw component.refuse('field_path works for body_json only.', 'field_path')
  }
  const names = component.has('field_path')
    ? component.list('field_path')
    : [component.required('field_name')]
  const bound = { env, parameters: component.parameters }
  const path = names.map((name) => textTemplate(String(name), bound))
  return (value) => {
    const [head = '', ...rest] = path.map((segment) => segment())
    const nested = rest.reduceRight<Value>((inner, name) => ({ [name]: inner }), value)
    return { [place as Place]: new Map([[head, nested]]) }
  }
}

/** Several injected values of one part; a later one with the same path overwrites, siblings merge. */
export function overlay(parts: RequestOptions[]): RequestOptions {
  const result: RequestOptions = {}
  for (const part of parts) {
    for (const [place, input] of Object.entries(part) as [Place, Map<string, Value>][]) {
      const target = (result[place] as Map<string, Value> | undefined) ?? new Map<string, Value>()
      for (const [key, value] of input) target.set(key, deepOverlay(target.get(key), value))
      result[place] = target
    }
  }
  return result
}

function deepOverlay(present: Value, value: Value): Value {
  if (!isPlain(present) || !isPlain(value)) return value
  const merged = { ...present }
  for (const [key, item] of Object.entries(value)) merged[key] = deepOverlay(merged[key], item)
  return merged
}

const isPlain = (value: Value): value is Record<string, Value> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
