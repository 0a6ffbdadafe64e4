import {
  isObject,
  type JsonObject,
  type JsonSchema,
  type JsonValue,
  valueIn,
} from '../protocol/index.ts'
import {
  activeAlternatives,
  alternatives,
  constantsOf,
  fromPointer,
  memberSchemas,
  type Path,
  propertiesOf,
  toFieldName,
  toPointer,
} from './spec-walk.ts'

/** How a stored secret reads on every face, and what given back means "keep what is stored". */
export const MASK = '**********'

/** A config in two parts: `visible` has the mask where `secrets`, by JSON pointer, has a value. */
export interface SplitConfig {
  visible: JsonObject
  secrets: JsonObject
}

/**
 * Field names of everything that a spec marks `airbyte_secret`, in any variant; `[*]` is any element.
 *
 * @example
 * secretPaths({ properties: { password: { airbyte_secret: true } } }) // ['password']
 */
export function secretPaths(spec: JsonSchema): string[] {
  return [...new Set(pathsIn(spec, []))].sort()
}

function pathsIn(schema: JsonSchema, path: Path): string[] {
  return alternatives(schema).flatMap((part) => {
    if (isSecret(part)) return [toFieldName(path)]
    const properties = Object.entries(propertiesOf(part))
    const others = [part.items, part.additionalProperties].filter(isObject)
    return [
      ...properties.flatMap(([name, property]) => pathsIn(property, [...path, name])),
      ...others.flatMap((member) => pathsIn(member, [...path, '*'])),
    ]
  })
}

/**
 * Takes the secrets out of a new config. A field is secret if any variant of the spec says so: of two
 * variants the wrong one may be meant. Empty secrets (`null`, `''`) and masks count as not given.
 */
export const splitSecrets = (spec: JsonSchema, config: JsonObject): SplitConfig =>
  updateSecrets(spec, { visible: {}, secrets: {} }, config)

function separate(spec: JsonSchema, config: JsonObject): SplitConfig {
  const secrets: JsonObject = {}
  const visible = takeSecrets(alternatives(spec), config, [], secrets) as JsonObject
  return { visible, secrets }
}

function takeSecrets(
  schemas: JsonSchema[],
  value: JsonValue,
  path: Path,
  secrets: JsonObject,
): JsonValue | undefined {
  if (schemas.some(isSecret)) {
    if (value === null || value === '') return undefined
    if (value !== MASK) secrets[toPointer(path)] = value
    return MASK
  }
  const member = (key: string | number, inner: JsonValue) => {
    const inside = memberSchemas(schemas, key).flatMap(alternatives)
    return takeSecrets(inside, inner, [...path, key], secrets)
  }
  if (Array.isArray(value)) return value.map((item, index) => member(index, item) ?? null)
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, member(key, inner)] as const)
  return objectOf(entries.filter((entry) => entry[1] !== undefined))
}

/** The config as connectors take it. Secrets whose place no longer exists are left out, masks too. */
export function mergeSecrets({ visible, secrets }: SplitConfig): JsonObject {
  return fill(visible, [], secrets) as JsonObject
}

function fill(value: JsonValue, path: Path, secrets: JsonObject): JsonValue | undefined {
  if (value === MASK) return secrets[toPointer(path)]
  if (Array.isArray(value))
    return value.map((item, index) => fill(item, [...path, index], secrets) ?? null)
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(
    ([k, v]) => [k, fill(v, [...path, k], secrets)] as const,
  )
  return objectOf(entries.filter((entry) => entry[1] !== undefined))
}

/** The config with the mask in place of every secret that has a value. */
export const maskSecrets = (spec: JsonSchema, config: JsonObject) => separate(spec, config).visible

/**
 * Deep-merges a change. A secret given as the mask or left out keeps its stored value, `null` or `''`
 * removes it; `null` removes every other field too that may not be null. Arrays are replaced (masks in them keep the secret of the same index). A change of the
 * variant of a `oneOf` replaces that object, so that nothing of the old variant stays behind.
 */
export function updateSecrets(
  spec: JsonSchema,
  stored: SplitConfig,
  change: JsonObject,
): SplitConfig {
  const merged = mergeValues(alternatives(spec), stored.visible, change) as JsonObject
  const { visible, secrets: given } = separate(spec, merged)
  const kept = Object.entries(stored.secrets).filter(
    ([pointer]) => !(pointer in given) && valueIn(visible, fromPointer(pointer)) === MASK,
  )
  const secrets = { ...Object.fromEntries(kept), ...given }
  return { visible: withoutEmptyMasks(visible, secrets), secrets }
}

function mergeValues(
  schemas: JsonSchema[],
  old: JsonValue | undefined,
  change: JsonValue,
): JsonValue {
  if (!isObject(old) || !isObject(change)) return change
  if (changesVariant(schemas, old, change)) return change
  const removed = new Set<string>()
  const merged = Object.entries(change).map(([key, value]) => {
    const inside = memberSchemas(schemas, key).flatMap(alternatives)
    const before = Object.hasOwn(old, key) ? old[key] : undefined
    if (value === null && before !== undefined && !inside.some(mayBeNull)) removed.add(key)
    return [key, mergeValues(inside, before, value)] as const
  })
  return objectOf([...Object.entries(old), ...merged].filter(([key]) => !removed.has(key)))
}

const mayBeNull = (schema: JsonSchema) => [schema.type].flat().includes('null')

const changesVariant = (schemas: JsonSchema[], old: JsonObject, change: JsonObject) =>
  schemas.some((schema) =>
    [...constantsOf(schema).keys()].some(
      (name) => name in change && name in old && change[name] !== old[name],
    ),
  )

/** A mask that was given for a secret that never had a value must not read as one. */
const withoutEmptyMasks = (visible: JsonObject, secrets: JsonObject) =>
  maskAgain(visible, [], secrets) as JsonObject

function maskAgain(value: JsonValue, path: Path, secrets: JsonObject): JsonValue | undefined {
  if (value === MASK) return toPointer(path) in secrets ? MASK : undefined
  if (Array.isArray(value))
    return value.map((item, index) => maskAgain(item, [...path, index], secrets) ?? null)
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(
    ([k, v]) => [k, maskAgain(v, [...path, k], secrets)] as const,
  )
  return objectOf(entries.filter((entry) => entry[1] !== undefined))
}

/**
 * Field names of the required secrets that a config (visible or whole) lacks, in the variants it has chosen.
 * `optional: true` names the optional ones as well.
 *
 * @example
 * missingSecrets({ required: ['key'], properties: { key: { airbyte_secret: true } } }, {}) // ['key']
 */
export function missingSecrets(
  spec: JsonSchema,
  config: JsonObject,
  options: { optional?: boolean } = {},
): string[] {
  return [...new Set(missingIn(spec, config, [], options.optional ?? false))]
}

function missingIn(
  schema: JsonSchema,
  value: JsonValue | undefined,
  path: Path,
  optional: boolean,
): string[] {
  const active = activeAlternatives(schema, value)
  if (Array.isArray(value))
    return value.flatMap((item, index) =>
      memberSchemas(active, index).flatMap((s) => missingIn(s, item, [...path, index], optional)),
    )
  if (!isObject(value)) return []
  const required = new Set(active.flatMap((part) => (part.required as string[] | undefined) ?? []))
  return active.flatMap((part) =>
    Object.entries(propertiesOf(part)).flatMap(([name, property]) => {
      const inner = Object.hasOwn(value, name) ? value[name] : undefined
      const here = [...path, name]
      const isLeft = inner === undefined && required.has(name) && choosesSecrets(property)
      if (isLeft) return [toFieldName(here)]
      if (!alternatives(property).some(isSecret)) {
        const descend = inner ?? (required.has(name) ? {} : undefined)
        return missingIn(property, descend, here, optional)
      }
      const absent = inner === undefined || inner === null || inner === ''
      return absent && (optional || required.has(name)) ? [toFieldName(here)] : []
    }),
  )
}

/**
 * Whether a field is a choice between ways to give secrets, such as a token or a password: which one
 * is meant is told where they are entered.
 */
export const choosesSecrets = (schema: JsonSchema) =>
  [schema.oneOf, schema.anyOf].some(
    (variants) =>
      Array.isArray(variants) &&
      variants.length > 0 &&
      variants.every(
        (variant) => isObject(variant) && secretPaths(variant as JsonSchema).length > 0,
      ),
  )

const isSecret = (schema: JsonSchema) => schema.airbyte_secret === true

/** `Object.fromEntries` defines properties, so a `__proto__` in a config stays an ordinary key. */
const objectOf = (entries: (readonly [string, JsonValue | undefined])[]) =>
  Object.fromEntries(entries) as JsonObject
