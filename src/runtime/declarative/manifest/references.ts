import { AirbyteError, isObject, type JsonObject, type JsonValue } from '../../../protocol/index.ts'
import { valueCounter } from './limits.ts'

/**
 * The manifest with its references replaced. `$ref` merges its target under the keys beside it;
 * any text that starts with `#/` is replaced by its target.
 *
 * @throws VALIDATION_FAILED for a circle or a target that does not exist, naming the node, and for
 * references that multiply beyond all bounds
 */
export function resolveReferences(manifest: JsonObject): JsonObject {
  const visited = new Set<string>()
  const count = valueCounter()
  let depth = 0

  function resolve(node: JsonValue, path: string): JsonValue {
    depth += 1
    count(depth)
    const resolved = resolveNode(node, path)
    depth -= 1
    return resolved
  }

  function resolveNode(node: JsonValue, path: string): JsonValue {
    if (typeof node === 'string') return node.startsWith('#/') ? follow(node, path) : node
    if (Array.isArray(node)) return node.map((item, index) => resolve(item, `${path}[${index}]`))
    if (!isObject(node)) return node
    const entries = Object.entries(node).filter(([key]) => key !== '$ref')
    const own: JsonObject = Object.fromEntries(
      entries.map(([key, value]) => {
        // Values for the user's config may well start with `#/`.
        if (key === 'config_overrides') return [key, value]
        return [key, resolve(value, path ? `${path}.${key}` : key)]
      }),
    )
    if (node.$ref === undefined) return own
    const target = resolve(node.$ref, path)
    return isObject(target) ? { ...target, ...own } : target
  }

  function follow(reference: string, path: string): JsonValue {
    if (visited.has(reference)) {
      throw refused(path, `The reference '${reference}' leads back to itself.`)
    }
    visited.add(reference)
    const resolved = resolve(lookUp(manifest, reference, path), path)
    visited.delete(reference)
    return resolved
  }

  return resolve(manifest, '') as JsonObject
}

/** The whole rest of the path is tried as one key first: keys may hold slashes. */
function lookUp(manifest: JsonObject, reference: string, path: string): JsonValue {
  let node: JsonValue | undefined = manifest
  let rest = reference.slice(2)
  while (rest !== '') {
    if (isObject(node) && Object.hasOwn(node, rest)) return node[rest] as JsonValue
    const slash = rest.indexOf('/')
    const head = slash === -1 ? rest : rest.slice(0, slash)
    rest = slash === -1 ? '' : rest.slice(slash + 1)
    if (Array.isArray(node)) node = /^-?\d+$/.test(head) ? node.at(Number(head)) : undefined
    else node = isObject(node) && Object.hasOwn(node, head) ? node[head] : undefined
    if (node === undefined) {
      throw refused(path, `The reference '${reference}' leads to nothing.`)
    }
  }
  return node as JsonValue
}

const refused = (path: string, message: string) =>
  new AirbyteError('VALIDATION_FAILED', message, { field: path || 'manifest' })
