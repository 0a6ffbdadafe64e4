import type { JsonValue } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { template } from '../interpolation.ts'
import { isInt } from '../python/values.ts'

/** The page size of a pagination strategy. */
export function pageSizeOf(component: Component, env: Environment): JsonValue | undefined {
  const given = component.get('page_size')
  if (given === undefined || typeof given === 'number') return given
  const value = template(String(given), { env, parameters: component.parameters })()
  if (!isInt(value)) throw component.refuse("'page_size' is not a whole number.", 'page_size')
  return Number(value)
}
