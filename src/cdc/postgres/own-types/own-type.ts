import { jsonbText } from '../../../runtime/formats/jsonb-text.ts'
import { jsonOfElements } from '../../../runtime/formats/pg-array-text.ts'
import { recordFields } from '../../../runtime/formats/pg-record-text.ts'

/** A type as `to_jsonb` sees it: domains are what they are made of. */
export type OwnType =
  | { kind: 'scalar'; name: string }
  | { kind: 'array'; element: OwnType; delimiter: string }
  | { kind: 'composite'; name: string; fields: { name: string; type: OwnType }[] }
  /** Its JSON is made by a function of its own, or its text is none of a type. */
  | { kind: 'untold'; name: string }

/**
 * The text of a value as the log prints it, as `to_jsonb` prints the value; undefined if the text is
 * none of this type.
 * @see https://www.postgresql.org/docs/current/functions-json.html#FUNCTIONS-JSON-CREATION-TABLE
 */
export function jsonOfOwn(type: OwnType, text: string): string | undefined {
  try {
    const json = jsonOf(type, text)
    // As a `json` column is told that `jsonb` would refuse.
    return jsonbText(json) ?? json
  } catch (error) {
    if (error instanceof Misfit) return undefined
    throw error
  }
}

/** The first part of the type that cannot be told from its text. */
export function untoldIn(type: OwnType): string | undefined {
  if (type.kind === 'untold') return type.name
  if (type.kind === 'array') return untoldIn(type.element)
  if (type.kind === 'scalar') return undefined
  return type.fields.map((field) => untoldIn(field.type)).find((name) => name !== undefined)
}

/** Whether only the catalog can tell what its values' JSON is. */
export const hasFields = (type: OwnType): boolean =>
  type.kind === 'composite' || (type.kind === 'array' && hasFields(type.element))

class Misfit extends Error {}

function jsonOf(type: OwnType, text: string): string {
  switch (type.kind) {
    case 'scalar':
      return (SCALARS.get(type.name) ?? JSON.stringify)(text)
    case 'array':
      return jsonOfElements(text, type.delimiter, (value) => jsonOf(type.element, value))
    case 'composite':
      return objectOf(type, text)
    default:
      throw new Misfit(type.name)
  }
}

function objectOf({ name, fields }: Extract<OwnType, { kind: 'composite' }>, text: string) {
  const values = recordFields(text, fields.length)
  if (!values) throw new Misfit(name)
  const members = fields.map(({ name, type }, place) => {
    const value = values[place] ?? null
    return `${JSON.stringify(name)}:${value === null ? 'null' : jsonOf(type, value)}`
  })
  return `{${members.join(',')}}`
}

/** `NaN` and the infinities are texts in JSON. */
const number = (text: string) => (/n/i.test(text) ? JSON.stringify(text) : text)
const timestamp = (text: string) => JSON.stringify(text.replace(' ', 'T'))
const same = (text: string) => text

/** Of the built-in types those that are not their text in quotes. */
const SCALARS = new Map<string, (text: string) => string>([
  ['bool', (text) => String(text === 't')],
  ...['int2', 'int4', 'int8', 'float4', 'float8', 'numeric'].map((name) => [name, number] as const),
  ['timestamp', timestamp],
  ['timestamptz', (text) => timestamp(text.replace(/([+-]\d\d)(?= BC$|$)/, '$1:00'))],
  ['json', same],
  ['jsonb', same],
])
