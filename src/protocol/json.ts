/** Any value that JSON can hold. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | JsonValue[]
  | { [key: string]: JsonValue }
export type JsonObject = { [key: string]: JsonValue }
/** A JSON Schema (draft-07 with Airbyte's extras such as `airbyte_secret` and `airbyte_type`). */
export type JsonSchema = { [key: string]: unknown }

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** JSON with sorted keys: equal values print equally. A `bigint` prints all its digits. */
export function stableJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return `[${value.map(stableJson).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).filter(([, v]) => v !== undefined)
  entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${stableJson(v)}`).join(',')}}`
}

/** The value at a path of names, and of indexes as text; undefined where there is none. */
export const valueIn = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (node, key) =>
      typeof node === 'object' && node !== null && Object.hasOwn(node, key)
        ? (node as JsonObject)[key]
        : undefined,
    value,
  )

/** Sets a value, and makes the objects on the way to it. A `__proto__` in a path is an ordinary key. */
export function setIn(config: JsonObject, path: readonly string[], value: JsonValue): void {
  let holder = config
  for (const key of path.slice(0, -1)) {
    const inner = valueIn(holder, [key])
    if (typeof inner !== 'object' || inner === null) define(holder, key, {})
    holder = holder[key] as JsonObject
  }
  const last = path.at(-1)
  if (last !== undefined) define(holder, last, value)
}

const define = (holder: JsonObject, key: string, value: JsonValue) =>
  Object.defineProperty(holder, key, {
    ...{ value, enumerable: true, configurable: true, writable: true },
  })
