import { isMapping, mappingEntries, mappingGet, setOwn } from '../python/mappings.ts'
import { isPlainObject, type Value } from '../python/values.ts'

/** A path into nested data; segments may be patterns of `*`, `?` and `[...]`. */
export type Path = readonly string[]

/** The value at a path without patterns; undefined when there is none. Integers index lists. */
export function valueAt(node: Value, path: Path): Value {
  let found = node
  for (const segment of path) {
    if (Array.isArray(found)) {
      found = INDEX.test(segment) ? found.at(Number(segment)) : undefined
    } else found = isMapping(found) ? mappingGet(found, segment) : undefined
    if (found === undefined) return undefined
  }
  return found
}

/** Every value that the path matches, in document order. */
export function valuesAt(node: Value, path: Path): Value[] {
  const found: Value[] = []
  walk(node, path, 0, (value) => found.push(value))
  return found
}

/** The value at a path, the first one where it has patterns. */
export const firstAt = (node: Value, path: Path): Value =>
  path.some(isPattern) ? valuesAt(node, path)[0] : valueAt(node, path)

/** Removes what the path matches: keys of objects go, items of lists become null. */
export function deleteAt(node: Value, path: Path): void {
  if (path.some(isPattern)) {
    walk(node, path, 0, (_value, holder, key) => remove(holder, key))
    return
  }
  const last = path.at(-1)
  const holder = path.slice(0, -1).reduce(childOf, node)
  if (last !== undefined && childOf(holder, last) !== undefined) remove(holder, last)
}

function remove(holder: Value, key: string): void {
  if (Array.isArray(holder)) {
    const index = Number(key)
    if (index === holder.length - 1) holder.pop()
    else holder[index] = null
  } else delete (holder as Record<string, Value>)[key]
}

/** What `walk` finds under a key that is no pattern. */
function childOf(node: Value, key: string): Value {
  if (Array.isArray(node)) return String(Number(key)) === key ? node[Number(key)] : undefined
  return isMapping(node) ? mappingGet(node, key) : undefined
}

/** A copy without the lists that the path matches; what lies beside the path is shared. */
export function withoutLists(node: Value, path: Path): Value {
  const [segment = '', ...rest] = path
  const kept = (key: string, value: Value): Value[] => {
    if (!matches(segment, key)) return [value]
    if (rest.length > 0) return [withoutLists(value, rest)]
    return Array.isArray(value) ? [] : [value]
  }
  if (Array.isArray(node)) return node.flatMap((item, index) => kept(String(index), item))
  if (!isPlainObject(node)) return node
  const copy: { [key: string]: Value } = {}
  for (const [key, value] of Object.entries(node)) {
    for (const item of kept(key, value)) setOwn(copy, key, item)
  }
  return copy
}

/** Sets the value at a path, making the objects and lists that are missing on the way. */
export function setAt(node: { [key: string]: Value }, path: Path, value: Value): void {
  if (path.length === 1) {
    setOwn(node, path[0] as string, value)
    return
  }
  let holder: Value = node
  path.forEach((segment, at) => {
    const last = at === path.length - 1
    const fill = (): Value => (last ? value : INDEX.test(path[at + 1] as string) ? [] : {})
    if (Array.isArray(holder)) {
      const index = Number(segment)
      while (holder.length < index) holder.push(null)
      if (last || holder[index] === undefined || holder[index] === null) holder[index] = fill()
      holder = holder[index]
    } else {
      const object = holder as { [key: string]: Value }
      if (last || !isContainer(object[segment])) setOwn(object, segment, fill())
      holder = object[segment]
    }
  })
}

export const isPattern = (segment: string) => /[*?[]/.test(segment)

const INDEX = /^-?\d+$/
const isContainer = (value: Value) => Array.isArray(value) || isMapping(value)

function walk(
  node: Value,
  path: Path,
  at: number,
  visit: (value: Value, holder: Value, key: string) => void,
): void {
  const segment = path[at]
  if (segment === undefined) return
  for (const [key, value] of childrenOf(node)) {
    if (!matches(segment, key)) {
      continue
    }
    if (at === path.length - 1) visit(value, node, key)
    else walk(value, path, at + 1, visit)
  }
}

function childrenOf(node: Value): [string, Value][] {
  if (Array.isArray(node)) return node.map((item, index) => [String(index), item])
  return isMapping(node) ? ([...mappingEntries(node)] as [string, Value][]) : []
}

const compiled = new Map<string, RegExp>()

function matches(segment: string, key: string): boolean {
  if (!isPattern(segment)) return segment === key
  let pattern = compiled.get(segment)
  if (!pattern) {
    pattern = new RegExp(`^${segment.replace(/\*|\?|\[!?[^\]]*\]|[\\^$.|+(){}[\]]/g, glob)}$`, 's')
    compiled.set(segment, pattern)
  }
  return pattern.test(key)
}

function glob(token: string): string {
  if (token === '*') return '.*'
  if (token === '?') return '.'
  if (token.length > 1) return token.replace('[!', '[^').replaceAll('\\', '\\\\')
  return `\\${token}`
}
