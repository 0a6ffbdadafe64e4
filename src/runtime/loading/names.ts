/** Names that a database takes, whatever a stream calls its tables and fields. */
import { createHash } from 'node:crypto'

export interface NameRules {
  /** What of a name may stand there. */
  clean(name: string): string
  /** Whether a clean name is short enough. */
  fits(name: string): boolean
  /** Equal results: one name to the database. */
  fold(name: string): string
  /** The n-th other name to try for a field whose own is taken. */
  another(field: string, n: number): string
}

/**
 * A name that fits: longer ones are cut at a character's boundary and end in a hash of the whole
 * name, so that two long names with one beginning stay two. Case is kept.
 */
export function fittingName(name: string, { clean, fits }: NameRules): string {
  const own = clean(name)
  if (fits(own)) return own === '' ? '_' : own
  const suffix = `_${shortHash(name)}`
  const characters = [...own]
  while (!fits(characters.join('') + suffix)) characters.pop()
  return characters.join('') + suffix
}

/** Column names for these fields, in order: each fits, none is taken twice, none is reserved. */
export function columnNames(
  fields: string[],
  reserved: Iterable<string>,
  rules: NameRules,
): string[] {
  const { fold } = rules
  const taken = new Set([...reserved].map(fold))
  // Fields whose own name fits keep it; only then do the others look for theirs. Of several that
  // are one name to the database the same keeps it, in whatever order they come.
  const own = new Set<string>()
  for (const field of [...fields].sort(lowerCaseFirst)) {
    if (fittingName(field, rules) !== field || taken.has(fold(field))) continue
    taken.add(fold(field))
    own.add(field)
  }
  return fields.map((field) => {
    if (own.has(field)) return field
    let name = fittingName(field, rules)
    for (let n = 1; taken.has(fold(name)); n++) name = fittingName(rules.another(field, n), rules)
    taken.add(fold(name))
    return name
  })
}

function lowerCaseFirst(a: string, b: string): number {
  const [upperA, upperB] = [a !== a.toLowerCase(), b !== b.toLowerCase()]
  if (upperA !== upperB) return upperA ? 1 : -1
  return a < b ? -1 : a > b ? 1 : 0
}

export const shortHash = (text: string) =>
  createHash('sha256').update(text).digest('hex').slice(0, 8)
