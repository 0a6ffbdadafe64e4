import { ordered } from '../operations/spec-fields.ts'
import {
  isObject,
  type JsonObject,
  type JsonSchema,
  type JsonValue,
  setIn,
} from '../protocol/index.ts'
import { secretPaths } from '../vault/index.ts'

/** One value to enter: a secret, or what a variant that is chosen here needs besides. */
export interface SecretField {
  kind: 'field'
  isSecret: boolean
  /** `credentials.personal_access_token`: its name in the form and its place in the config. */
  path: string
  title: string
  help?: string
  multiline: boolean
  required: boolean
}

/** A union whose variant the config has not chosen yet: the person does, with the secrets. */
export interface SecretChoice {
  kind: 'choice'
  path: string
  title: string
  help?: string
  variants: SecretVariant[]
}

export interface SecretVariant {
  /** The form's value for this variant. */
  id: string
  title: string
  help?: string
  /** What marks this variant in the config. */
  constants: JsonObject
  items: SecretItem[]
}

export type SecretItem = SecretField | SecretChoice

/**
 * The secrets that a config can still take: those of its spec, through nested objects and the
 * variants it chose. Fields that hold nothing secret do not appear; they are set by chat or API.
 *
 * @param missing paths that must be filled; others may be left empty to keep what is stored
 */
export function secretForm(
  schema: JsonSchema,
  config: JsonObject,
  missing: ReadonlySet<string>,
): SecretItem[] {
  return itemsOf(schema, config, '', missing)
}

/** @param whole ask for what is required and not secret, too: nobody could have given it before */
function itemsOf(
  schema: JsonSchema,
  config: JsonValue | undefined,
  prefix: string,
  missing: ReadonlySet<string>,
  whole = false,
): SecretItem[] {
  return ordered(schema).flatMap(([name, property]) => {
    const path = prefix ? `${prefix}.${name}` : name
    if (property.airbyte_hidden === true) return []
    if (property.airbyte_secret === true) return [fieldOf(path, property, schema, name, missing)]
    const value = isObject(config) ? config[name] : undefined
    const variants = property.oneOf as JsonSchema[] | undefined
    if (whole && isPlain(property) && isRequired(schema, name) && property.default === undefined) {
      return [fieldOf(path, property, schema, name, missing)]
    }
    if (!variants) return itemsOf(property, value, path, missing, whole)
    const chosen = isObject(value) ? variants.find((v) => matches(v, value)) : undefined
    return chosen
      ? itemsOf(chosen, value, path, missing)
      : choiceOf(path, property, variants, missing)
  })
}

function fieldOf(
  path: string,
  property: JsonSchema,
  parent: JsonSchema,
  name: string,
  missing: ReadonlySet<string>,
): SecretField {
  return {
    kind: 'field',
    isSecret: property.airbyte_secret === true,
    path,
    title: text(property.title) ?? name,
    help: text(property.description),
    multiline: property.multiline === true,
    required: isRequired(parent, name) && missing.has(path),
  }
}

const isRequired = ({ required }: JsonSchema, name: string) =>
  ((required as string[] | undefined) ?? []).includes(name)
const isPlain = ({ type, const: constant, enum: values }: JsonSchema) =>
  type === 'string' && constant === undefined && values === undefined

/** Nothing to ask where no variant holds a secret. */
function choiceOf(
  path: string,
  property: JsonSchema,
  variants: JsonSchema[],
  missing: ReadonlySet<string>,
): SecretChoice[] {
  const offered = variants.map((variant, index) => ({
    id: String(index),
    title: text(variant.title) ?? `Option ${index + 1}`,
    help: text(variant.description),
    constants: constantsOf(variant),
    items: itemsOf(variant, undefined, path, missing, true),
  }))
  if (!variants.some((variant) => secretPaths(variant).length > 0)) return []
  const title = text(property.title) ?? path
  return [{ kind: 'choice', path, title, help: text(property.description), variants: offered }]
}

/** Name of the form field that says which variant of a union was chosen. */
export const choiceName = (path: string) => `choice:${path}`

/** Name of a field's input; the same path may stand in several variants. */
export const inputName = (path: string, variant?: string) =>
  variant === undefined ? path : `${path}#${variant}`

/** The part of a config that a filled form stands for. Empty fields are left out. */
export function configOf(items: SecretItem[], form: ReadonlyMap<string, string>, variant?: string) {
  const config: JsonObject = {}
  for (const item of items) {
    if (item.kind === 'field') {
      const value = form.get(inputName(item.path, variant))
      if (value) setIn(config, item.path.split('.'), value)
      continue
    }
    const chosen = item.variants.find(({ id }) => id === form.get(choiceName(item.path)))
    if (!chosen) continue
    const inner = configOf(chosen.items, form, chosen.id)
    if (!hasAnything(inner)) continue
    for (const [name, value] of Object.entries(chosen.constants)) {
      setIn(inner, [...item.path.split('.'), name], value)
    }
    merge(config, inner)
  }
  return config
}

function matches(variant: JsonSchema, value: JsonObject): boolean {
  const constants = Object.entries(constantsOf(variant))
  return constants.length > 0 && constants.every(([name, constant]) => value[name] === constant)
}

function constantsOf(variant: JsonSchema): JsonObject {
  const tagged = ordered(variant).filter(([, property]) => property.const !== undefined)
  return Object.fromEntries(tagged.map(([name, property]) => [name, property.const as JsonValue]))
}

function merge(target: JsonObject, source: JsonObject): void {
  for (const [name, value] of Object.entries(source)) {
    const existing = target[name]
    if (isObject(existing) && isObject(value)) merge(existing, value)
    else target[name] = value
  }
}

const hasAnything = (config: JsonObject) => Object.keys(config).length > 0
const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)
