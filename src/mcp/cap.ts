/** Some 6,000 tokens of JSON: what a result may cost a model. */
const MAX_CHARACTERS = 24_000
const MAX_STRING = 500

type Json = Record<string, unknown>

/**
 * A result cut to what a model should read at once: long strings first, then the ends of the longest
 * lists. Whatever was cut says so in `truncated`, and how to see the rest.
 */
export function capResult(result: Json, limit = MAX_CHARACTERS): Json {
  if (JSON.stringify(result).length <= limit) return result
  let capped = shortenStrings(result) as Json
  const dropped = new Map<string, number>()
  while (JSON.stringify(capped).length > limit - 400) {
    const longest = longestList(capped)
    if (!longest) return { truncated: true, hint: 'The result is too large to show here.' }
    const keep = Math.floor(longest.list.length / 2)
    const name = longest.path.join('.')
    dropped.set(name, (dropped.get(name) ?? 0) + longest.list.length - keep)
    capped = replaceAt(capped, longest.path, longest.list.slice(0, keep)) as Json
  }
  const cut = [...dropped].map(([path, count]) => `${count} more in ${path}`)
  return {
    ...capped,
    truncated: true,
    truncated_hint: `${cut.length > 0 ? `Cut: ${cut.join(', ')}. ` : 'Long texts were cut. '}Ask for less with limit, a filter or a cursor.`,
  }
}

function shortenStrings(node: unknown): unknown {
  if (typeof node === 'string') {
    return node.length > MAX_STRING
      ? `${node.slice(0, MAX_STRING)}… (${node.length} characters)`
      : node
  }
  if (Array.isArray(node)) return node.map(shortenStrings)
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, shortenStrings(value)]),
  )
}

interface Found {
  path: (string | number)[]
  list: unknown[]
  size: number
}

/** The list to cut: the largest one, or a list inside it that makes up most of it. */
function longestList(node: unknown, path: (string | number)[] = []): Found | null {
  if (typeof node !== 'object' || node === null) return null
  let inner: Found | null = null
  for (const [key, value] of Object.entries(node)) {
    const found = longestList(value, [...path, key])
    if (found && (inner === null || found.size > inner.size)) inner = found
  }
  // A list of one cannot be cut to anything useful.
  if (!Array.isArray(node) || node.length < 2) return inner
  const size = JSON.stringify(node).length
  return inner && inner.size > size / 2 ? inner : { path, list: node, size }
}

function replaceAt(node: unknown, [head, ...rest]: (string | number)[], value: unknown): unknown {
  if (head === undefined) return value
  if (Array.isArray(node)) {
    return node.map((item, i) => (String(i) === String(head) ? replaceAt(item, rest, value) : item))
  }
  const object = node as Json
  return { ...object, [head]: replaceAt(object[head], rest, value) }
}
