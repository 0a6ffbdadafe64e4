import {
  isObject,
  type JsonObject,
  type JsonSchema,
  type JsonValue,
  setIn,
} from '../protocol/index.ts'
import { MASK, mergeSecrets, type SplitConfig, splitSecrets } from './secrets.ts'
import { type Path, toPointer } from './spec-walk.ts'

/** A shorter text may stand in a config by chance. */
const SHORTEST = 4

/**
 * A config that a connector has written anew. What the spec calls secret is one; so is what was one
 * before, where it stood and wherever else it stands now: a connector moves secrets to places that
 * its spec does not mark.
 */
export function rewriteConfig(
  spec: JsonSchema,
  stored: SplitConfig,
  config: JsonObject,
): SplitConfig {
  const texts = textsOf(stored.secrets).filter(({ length }) => length >= SHORTEST)
  return resplit(spec, config, new Set(Object.keys(stored.secrets)), new Set(texts))
}

/** Sets single values; those that are secret are so whatever the spec says of their place. */
export function setValues(
  spec: JsonSchema,
  stored: SplitConfig,
  changes: { path: string[]; value: JsonValue; secret: boolean }[],
): SplitConfig {
  const config = structuredClone(mergeSecrets(stored))
  const sealed = new Set(Object.keys(stored.secrets))
  for (const { path, value, secret } of changes) {
    setIn(config, path, value)
    if (secret) sealed.add(toPointer(path))
  }
  return resplit(spec, config, sealed, new Set())
}

/** Every text in a value, however deep. */
export const textsOf = (value: JsonValue): string[] => {
  if (typeof value === 'string') return [value]
  if (value === null || typeof value !== 'object') return []
  return Object.values(value).flatMap(textsOf)
}

function resplit(
  spec: JsonSchema,
  config: JsonObject,
  pointers: Set<string>,
  texts: Set<string>,
): SplitConfig {
  const { visible, secrets } = splitSecrets(spec, config)
  const hide = (value: JsonValue, path: Path): JsonValue => {
    if (value === MASK) return value
    const pointer = toPointer(path)
    const isFilled = value !== null && value !== ''
    if (isFilled && (pointers.has(pointer) || (typeof value === 'string' && texts.has(value)))) {
      secrets[pointer] = value
      return MASK
    }
    if (Array.isArray(value)) return value.map((item, index) => hide(item, [...path, index]))
    if (!isObject(value)) return value
    const entries = Object.entries(value).map(([key, item]) => [key, hide(item, [...path, key])])
    return Object.fromEntries(entries) as JsonObject
  }
  return { visible: hide(visible, []) as JsonObject, secrets }
}
