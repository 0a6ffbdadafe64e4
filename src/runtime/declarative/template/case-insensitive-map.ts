import { PyMapping } from '../python/mappings.ts'
import type { Value } from '../python/values.ts'

/**
 * Response headers for templates: found in any letter case, because Workers lower-case the names
 * that servers send and manifests ask for them as documented.
 * @example
 * interpolateString("{{ headers['X-Next'] }}", { headers: new CaseInsensitiveMap([['x-next', 'b']]) }) // 'b'
 */
export class CaseInsensitiveMap extends PyMapping {
  readonly #items = new Map<string, [string, Value]>()

  constructor(entries: Iterable<readonly [string, Value]>) {
    super()
    for (const [name, value] of entries) this.#items.set(name.toLowerCase(), [name, value])
  }

  get(key: Value): Value {
    return typeof key === 'string' ? this.#items.get(key.toLowerCase())?.[1] : undefined
  }

  entries(): Iterable<readonly [Value, Value]> {
    return this.#items.values()
  }

  size(): number {
    return this.#items.size
  }
}
