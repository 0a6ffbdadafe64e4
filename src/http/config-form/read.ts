import type { JsonObject, JsonValue } from '../../protocol/index.ts'
import { MASK } from '../../vault/index.ts'
import type { ConfigField, InputField, RowsField, UnionField } from './fields.ts'

/** Rows that one form may hold of a list. */
const MOST_ROWS = 200

/** Name of the field that says how many rows of a list the page showed. */
export const rowCountName = (name: string) => `${name}#rows`
/** Name of the box by which a stored secret is forgotten. */
export const forgetName = (name: string) => `${name}#forget`

/**
 * The config that a filled form stands for. Fields left empty are left out, and null where the config
 * had a value, which takes it away; secrets left empty are kept. What does not fit its type is
 * handed on as it was entered, for the validation to say so.
 */
export function readConfig(fields: readonly ConfigField[], form: URLSearchParams): JsonObject {
  return Object.fromEntries(
    fields.flatMap((field) => {
      const value = readField(field, form)
      if (value !== undefined) return [[field.key, value]]
      return field.stored && !isSecret(field) ? [[field.key, null]] : []
    }),
  )
}

/** Values of secret fields in a form, which nothing that answers it may repeat. */
export function secretsIn(fields: readonly ConfigField[], form: URLSearchParams): string[] {
  return fields.flatMap((field): string[] => {
    if (field.kind === 'group') return secretsIn(field.fields, form)
    if (field.kind === 'union') return field.variants.flatMap((v) => secretsIn(v.fields, form))
    if (field.kind === 'rows') return rowsOf(field, form).flatMap((row) => secretsIn(row, form))
    return field.secret ? form.getAll(field.name).filter((value) => value !== '') : []
  })
}

function readField(field: ConfigField, form: URLSearchParams): JsonValue | undefined {
  switch (field.kind) {
    case 'group': {
      const inner = readConfig(field.fields, form)
      return Object.keys(inner).length > 0 || field.required ? inner : undefined
    }
    case 'union':
      return readUnion(field, form)
    case 'rows':
      return readRows(field, form)
    default:
      return readInput(field, form)
  }
}

function readUnion({ name, variants }: UnionField, form: URLSearchParams) {
  const chosen = variants.find(({ id }) => id === form.get(name))
  return chosen && { ...chosen.constants, ...readConfig(chosen.fields, form) }
}

/** Rows in which nothing was entered are no rows. The mask of a secret counts at its old index only. */
function readRows(field: RowsField, form: URLSearchParams): JsonObject[] | undefined {
  const read = rowsOf(field, form).map((row) => withoutNulls(readConfig(row, form)))
  const filled = read.map((row) => Object.values(row).some((value) => value !== MASK))
  const firstGone = filled.indexOf(false)
  const rows = read.flatMap((row, index) =>
    !filled[index] ? [] : [firstGone >= 0 && index > firstGone ? withoutMasks(row) : row],
  )
  return rows.length > 0 ? rows : undefined
}

function rowsOf(field: RowsField, form: URLSearchParams): ConfigField[][] {
  const shown = Number(form.get(rowCountName(field.name)) ?? 0)
  const length = Math.min(Number.isInteger(shown) && shown > 0 ? shown : 0, MOST_ROWS)
  return Array.from({ length }, (_, index) => field.row(index, field.rows[index]))
}

const withoutNulls = (row: JsonObject) => without(row, null)
const withoutMasks = (row: JsonObject) => without(row, MASK)
const without = (row: JsonObject, unwanted: JsonValue): JsonObject =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== unwanted))

function readInput(field: InputField, form: URLSearchParams): JsonValue | undefined {
  const { name, kind, secret, options } = field
  if (kind === 'switch') return readSwitch(field, form)
  if (kind === 'flags') {
    const ticked = new Set(form.getAll(name))
    const chosen = options.filter((option) => ticked.has(String(option)))
    return chosen.length > 0 ? chosen : undefined
  }
  const entered = form.get(name) ?? ''
  if (secret) return readSecret(field, entered, form)
  if (entered.trim() === '') return undefined
  if (kind === 'choice') return options.find((option) => String(option) === entered) ?? entered
  if (kind === 'number') return numberOf(entered)
  if (kind === 'json') return jsonOf(entered)
  if (kind !== 'list') return entered.replaceAll('\r\n', '\n')
  const lines = entered.split('\n').map((line) => line.trim())
  const items = lines.filter((line) => line !== '')
  return field.ofNumbers ? items.map(numberOf) : items
}

/** A box that is not ticked says no, where that is something else than nothing. */
function readSwitch({ name, value, required }: InputField, form: URLSearchParams) {
  if (form.has(name)) return true
  return value !== undefined || required ? false : undefined
}

function readSecret(field: InputField, entered: string, form: URLSearchParams) {
  if (entered !== '') {
    const value = entered.replaceAll('\r\n', '\n')
    return field.kind === 'number' ? numberOf(value) : value
  }
  if (!field.stored) return undefined
  return form.has(forgetName(field.name)) ? '' : MASK
}

function numberOf(entered: string): JsonValue {
  const value = Number(entered)
  return Number.isFinite(value) && !(Number.isInteger(value) && !Number.isSafeInteger(value))
    ? value
    : entered
}

function jsonOf(entered: string): JsonValue {
  try {
    return JSON.parse(entered) as JsonValue
  } catch {
    return entered
  }
}

const isSecret = (field: ConfigField) => 'secret' in field && field.secret
