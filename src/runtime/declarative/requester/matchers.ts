import type { JsonObject } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import { template } from '../interpolation.ts'
import { compileRegex } from '../python/regex.ts'
import { str } from '../python/text.ts'
import { asIndex } from '../python/values.ts'
import type { Outgoing } from './send.ts'

/** Picks requests, by method, address, parameters and headers. */
export interface Matcher {
  matches(request: Outgoing): boolean
  /** Calls that such a request counts for. */
  weight: number
}

/** `HttpRequestRegexMatcher`; what it does not name matches anything. */
export function requestMatcher(component: Component, config: JsonObject): Matcher {
  const method = component.optionalText('method')?.toUpperCase()
  const base = component.optionalText('url_base')?.replace(/\/+$/, '')
  const pattern = component.optionalText('url_path_pattern')
  const path = pattern ? compileRegex(pattern) : undefined
  const parameters = pairsOf(component.object('params'))
  const headers = pairsOf(component.object('headers'))
  return {
    weight: weightOf(component, config),
    matches(request) {
      const [, origin = '', found = '', query = ''] = PARTS.exec(request.url) ?? []
      if (method && request.method !== method) return false
      if (base && origin !== base) return false
      if (path && !path.search(found.replace(/\/+$/, ''))) return false
      const given = new Map([...new URLSearchParams(query)].filter(([, value]) => value !== ''))
      return (
        parameters.every(([name, value]) => given.get(name) === value) &&
        headers.every(([name, value]) => request.headers.get(name) === value)
      )
    },
  }
}

const PARTS = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]*)([^?#]*)(?:\?([^#]*))?/i

const pairsOf = (fields: JsonObject): [string, string][] =>
  Object.entries(fields)
    .filter(([name]) => name !== '$parameters')
    .map(([name, value]) => [name, str(value)])

function weightOf(component: Component, config: JsonObject): number {
  const given = component.get('weight')
  if (given === undefined) return 1
  const value = template(String(given), { env: { config }, parameters: {} })()
  const weight = Number(typeof value === 'string' ? value : asIndex(value))
  if (Number.isInteger(weight) && weight >= 1) return weight
  throw component.refuse('It is a whole number of at least 1.', 'weight')
}
