/** PostgreSQL identifiers: quoting, and names that fit its 63 bytes. */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'

const MAX_BYTES = 63
/** Names that PostgreSQL keeps for itself in every table. */
const SYSTEM_COLUMNS = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])

/** `Über "x"` → `"Über ""x"""`. */
export const quote = (name: string) => `"${name.replaceAll('"', '""')}"`

export const quoteLiteral = (value: string) =>
  `${value.includes('\\') ? ' E' : ''}'${value.replaceAll(/['\\]/g, '$&$&')}'`

/**
 * A name that fits: longer ones are cut at a character's boundary and end in a hash of the whole
 * name, so that two long names with one beginning stay two. Case is kept.
 */
export function identifier(name: string): string {
  const clean = name.replaceAll('\0', '')
  if (Buffer.byteLength(clean) <= MAX_BYTES) return clean === '' ? '_' : clean
  const suffix = `_${shortHash(name)}`
  let cut = clean
  while (Buffer.byteLength(cut) > MAX_BYTES - suffix.length) cut = [...cut].slice(0, -1).join('')
  return cut + suffix
}

/** Column names for these fields, in order: each fits, none is taken twice, none is reserved. */
export function columnIdentifiers(fields: string[], reserved: Iterable<string>): string[] {
  const taken = new Set([...reserved, ...SYSTEM_COLUMNS])
  // Fields whose own name fits keep it; only then do the cut ones look for theirs.
  for (const field of fields) if (identifier(field) === field && !taken.has(field)) taken.add(field)
  const own = new Set(fields.filter((field) => identifier(field) === field))
  return fields.map((field) => {
    if (own.has(field) && !SYSTEM_COLUMNS.has(field) && !new Set(reserved).has(field)) return field
    let name = identifier(field)
    for (let n = 1; taken.has(name); n++) name = identifier(`${field}_${n}`)
    taken.add(name)
    return name
  })
}

export const shortHash = (text: string) =>
  createHash('sha256').update(text).digest('hex').slice(0, 8)
