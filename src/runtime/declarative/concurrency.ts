import type { JsonObject } from '../../protocol/index.ts'
import { type Builders, build, type Component } from './component.ts'
import { template } from './interpolation.ts'
import { isInt } from './python/values.ts'

/**
 * How many requests at once the manifest says the API bears; undefined where it says nothing. One
 * stream is read page by page here, so it is a limit that is always kept: what can be seen of it is
 * a value that makes no sense.
 *
 * @throws VALIDATION_FAILED for such a value
 */
export function concurrencyOf(root: Component, config: JsonObject): number | undefined {
  const level = root.optionalChild('concurrency_level')
  return level && build(LEVELS, level, config)
}

const LEVELS: Builders<number, JsonObject> = {
  ConcurrencyLevel(component, config) {
    const given = component.required('default_concurrency')
    const most = component.get('max_concurrency')
    if (typeof given === 'number') return given
    if (String(given).includes('config') && !most) {
      throw component.refuse('A default_concurrency of the config needs one.', 'max_concurrency')
    }
    const value = template(String(given), { env: { config }, parameters: {} })()
    if (!isInt(value)) throw component.refuse('It is not a whole number.', 'default_concurrency')
    return typeof most === 'number' ? Math.min(Number(value), most) : Number(value)
  },
}
