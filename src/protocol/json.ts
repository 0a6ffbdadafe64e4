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
