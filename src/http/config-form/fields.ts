import { merge } from '../../core/config-unions.ts'
import { checkConfig } from '../../core/config-validation.ts'
import { ordered } from '../../operations/spec-fields.ts'
import { isObject, type JsonObject, type JsonSchema, type JsonValue } from '../../protocol/index.ts'

/** What a form asks for one value of a config. */
export type ConfigField = InputField | GroupField | UnionField | RowsField

interface Asked {
  /** Of the input: `config.credentials@1.token`. Within a union the variant is part of it. */
  name: string
  /** Place in the config as problems name it: `config.credentials.token`. */
  path: string
  /** Last part of the path. */
  key: string
  title: string
  help?: string
  required: boolean
  /** Required, and so is all it stands in: the browser may insist on it. */
  isFirm: boolean
  /** The config has a value here. */
  stored: boolean
}

export interface InputField extends Asked {
  kind: 'text' | 'number' | 'date' | 'switch' | 'choice' | 'flags' | 'list' | 'json'
  secret: boolean
  multiline: boolean
  /** Never that of a secret. */
  value?: JsonValue
  options: JsonValue[]
  /** Of the items of a list. */
  ofNumbers: boolean
  examples: string[]
}

export interface GroupField extends Asked {
  kind: 'group'
  fields: ConfigField[]
}

export interface UnionField extends Asked {
  kind: 'union'
  /** Id of a variant; empty: none. */
  chosen: string
  variants: Variant[]
}

export interface Variant {
  id: string
  title: string
  help?: string
  /** What tells it from the others in the config. */
  constants: JsonObject
  fields: ConfigField[]
}

export interface RowsField extends Asked {
  kind: 'rows'
  /** Values of the rows that there are. */
  rows: JsonObject[]
  row(index: number, value?: JsonObject): ConfigField[]
}

interface Place {
  name: string
  path: string
  isFirm: boolean
}

const ROOT: Place = { name: 'config', path: 'config', isFirm: true }

/** Everything that a spec lets a person say, with the values of a config; what it hides stays out. */
export function fieldsOf(schema: JsonSchema, config: JsonObject = {}): ConfigField[] {
  return membersOf(schema, config, ROOT)
}

function membersOf(
  schema: JsonSchema,
  value: JsonValue | undefined,
  place: Place,
  constants: JsonObject = {},
): ConfigField[] {
  const whole = withAllOf(schema)
  const required = new Set((whole.required ?? []) as string[])
  const isAsked = (key: string, property: JsonSchema) =>
    property.const === undefined &&
    property.airbyte_hidden !== true &&
    !Object.hasOwn(constants, key)
  return ordered(whole)
    .filter(([key, property]) => isAsked(key, property))
    .map(([key, property]) => {
      const inner = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
      return fieldOf(key, withAllOf(property), inner, required.has(key), {
        ...{ name: `${place.name}.${key}`, path: `${place.path}.${key}` },
        isFirm: place.isFirm && required.has(key),
      })
    })
}

function fieldOf(
  key: string,
  schema: JsonSchema,
  value: JsonValue | undefined,
  required: boolean,
  place: Place,
): ConfigField {
  const asked: Asked = {
    ...place,
    ...{ key, required, stored: value !== undefined },
    title: text(schema.title) ?? key,
    help: text(schema.description),
  }
  if (schema.airbyte_secret === true) return inputOf(asked, schema, undefined)
  const variants = variantsOf(schema)
  if (variants) return unionOf(asked, schema, variants, value)
  if (hasMembers(schema)) {
    return { ...asked, kind: 'group', fields: membersOf(schema, value, place) }
  }
  if (schema.type === 'array' && isObject(schema.items) && hasMembers(schema.items)) {
    return rowsOf(asked, schema.items, value)
  }
  return inputOf(asked, schema, value ?? (schema.default as JsonValue | undefined))
}

function inputOf(asked: Asked, schema: JsonSchema, value: JsonValue | undefined): InputField {
  const items = isObject(schema.items) ? (schema.items as JsonSchema) : {}
  const kind = kindOf(schema, items)
  return {
    ...{ ...asked, kind, value },
    secret: schema.airbyte_secret === true,
    multiline: schema.multiline === true,
    options: ((kind === 'flags' ? items.enum : schema.enum) ?? []) as JsonValue[],
    ofNumbers: isNumeric(typeOf(items)),
    examples: [schema.examples ?? []].flat().flatMap((one) => exampleOf(one as JsonValue)),
  }
}

function kindOf(schema: JsonSchema, items: JsonSchema): InputField['kind'] {
  const type = typeOf(schema)
  if (schema.airbyte_secret === true) return isNumeric(type) ? 'number' : 'text'
  if (Array.isArray(schema.enum)) return 'choice'
  if (type === 'boolean') return 'switch'
  if (isNumeric(type)) return 'number'
  if (type === 'array') {
    if (Array.isArray(items.enum)) return 'flags'
    return ['string', 'integer', 'number'].includes(String(typeOf(items) ?? 'string'))
      ? 'list'
      : 'json'
  }
  if (type === 'string') return schema.format === 'date' ? 'date' : 'text'
  return 'json'
}

function unionOf(
  asked: Asked,
  schema: JsonSchema,
  variants: JsonSchema[],
  value: JsonValue | undefined,
): UnionField {
  const known = value ?? (schema.default as JsonValue | undefined)
  const chosen = variants.findIndex((variant) => bears(variant, known))
  const first = asked.required ? '0' : ''
  return {
    ...{ ...asked, kind: 'union', chosen: chosen < 0 ? first : String(chosen) },
    variants: variants.map((variant, index) => {
      const constants = constantsOf(variant)
      const place = { name: `${asked.name}@${index}`, path: asked.path, isFirm: false }
      const within = index === chosen ? known : undefined
      return {
        ...{ id: String(index), title: text(variant.title) ?? `Option ${index + 1}` },
        ...{ help: text(variant.description), constants },
        fields: membersOf(variant, within, place, constants),
      }
    }),
  }
}

const rowsOf = (asked: Asked, items: JsonSchema, value: JsonValue | undefined): RowsField => ({
  ...{ ...asked, kind: 'rows', rows: Array.isArray(value) ? value.filter(isObject) : [] },
  row: (index, inner) =>
    membersOf(items, inner, {
      ...{ name: `${asked.name}[${index}]`, path: `${asked.path}[${index}]`, isFirm: false },
    }),
})

/** A variant is known by its constants, else by the value fitting it. */
function bears(variant: JsonSchema, value: JsonValue | undefined): boolean {
  if (!isObject(value)) return false
  const constants = Object.entries(constantsOf(variant))
  return constants.length > 0
    ? constants.every(([name, constant]) => value[name] === constant)
    : checkConfig(variant, value, { ignoreSecrets: true }).problems.length === 0
}

function constantsOf(variant: JsonSchema): JsonObject {
  const tagged = ordered(variant).flatMap(([name, property]): [string, JsonValue][] => {
    const only = property.enum as JsonValue[] | undefined
    const constant =
      (property.const as JsonValue | undefined) ?? (only?.length === 1 ? only[0] : undefined)
    return constant === undefined || property.airbyte_hidden === true ? [] : [[name, constant]]
  })
  return Object.fromEntries(tagged)
}

/** Variants that are objects; what else a union may hold is entered as JSON. */
function variantsOf(schema: JsonSchema): JsonSchema[] | undefined {
  const variants = (schema.oneOf ?? schema.anyOf) as JsonSchema[] | undefined
  return variants?.every((variant) => isObject(variant.properties)) ? variants : undefined
}

function withAllOf(schema: JsonSchema): JsonSchema {
  const { allOf, ...rest } = schema
  if (!Array.isArray(allOf)) return schema
  return (allOf as JsonSchema[]).reduce(merge, rest)
}

const hasMembers = (schema: JsonSchema) =>
  isObject(schema.properties) && Object.keys(schema.properties).length > 0
const typeOf = ({ type }: JsonSchema) => [type].flat().find((one) => one !== 'null')
const isNumeric = (type: unknown) => type === 'integer' || type === 'number'
const exampleOf = (value: JsonValue) =>
  typeof value === 'string' || typeof value === 'number' ? [String(value)] : []
const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)
