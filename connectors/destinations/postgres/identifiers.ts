/** PostgreSQL identifiers: quoting, and names that fit its 63 bytes. */
import { Buffer } from 'node:buffer'
import { columnNames, fittingName, type NameRules } from '../../../src/runtime/loading/names.ts'

const MAX_BYTES = 63
/** Names that PostgreSQL keeps for itself in every table. */
const SYSTEM_COLUMNS = ['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']

const RULES: NameRules = {
  clean: (name) => name.replaceAll('\0', ''),
  fits: (name) => Buffer.byteLength(name) <= MAX_BYTES,
  fold: (name) => name,
  another: (field, n) => `${field}_${n}`,
}

/** `Über "x"` → `"Über ""x"""`. */
export const quote = (name: string) => `"${name.replaceAll('"', '""')}"`

export const quoteLiteral = (value: string) =>
  `${value.includes('\\') ? ' E' : ''}'${value.replaceAll(/['\\]/g, '$&$&')}'`

export const identifier = (name: string) => fittingName(name, RULES)

export const columnIdentifiers = (fields: string[], reserved: Iterable<string>) =>
  columnNames(fields, [...reserved, ...SYSTEM_COLUMNS], RULES)
