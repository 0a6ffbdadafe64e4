import { AirbyteError, isObject, type JsonObject } from '../../../protocol/index.ts'
import { hasExpression } from '../interpolation.ts'
import type { Stream } from './build.ts'

/**
 * Whether templates of the stream see its state, `stream_state`, as they did until 6.34. It is
 * copied for each slice, so only where it is asked for.
 *
 * @throws TEMPLATE_INVALID naming the node, in a language that has no such name
 */
export function seesState({ component, env }: Stream): boolean {
  const path = mentionIn(component.fields, component.path)
  if (path === undefined) return false
  if (env.language?.was('streamState')) return true
  throw new AirbyteError(
    'TEMPLATE_INVALID',
    `${path}: stream_state is no longer part of the language.`,
    { stream: env.stream, field: path, hint: 'Use stream_interval instead.' },
  )
}

function mentionIn(node: unknown, path: string): string | undefined {
  if (typeof node === 'string') {
    return node.includes('stream_state') && hasExpression(node) ? path : undefined
  }
  if (Array.isArray(node)) {
    return first(node.entries(), ([index, item]) => mentionIn(item, `${path}[${index}]`))
  }
  if (!isObject(node)) return undefined
  return first(Object.entries(node as JsonObject), ([name, item]) =>
    name === 'schema' || name === '$parameters' ? undefined : mentionIn(item, `${path}.${name}`),
  )
}

function first<Item>(
  items: Iterable<Item>,
  find: (item: Item) => string | undefined,
): string | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}
