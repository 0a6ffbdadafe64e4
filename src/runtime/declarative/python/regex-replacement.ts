import { PythonError } from './errors.ts'
import type { RegexMatch } from './regex.ts'

const error = (message: string) => new PythonError('RegexError', message)
const ESCAPES: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  f: '\f',
  v: '\v',
  a: '\x07',
  b: '\b',
  '\\': '\\',
}
const PART = /\\(?:g<([^>]*)>|(0[0-7]{0,2}|[1-3][0-7]{2})|([1-9]\d?)|([\s\S]?))/g

/** Compiles the replacement of `re.sub`: `\1`, `\g<name>`, `\n`; unknown letters are errors. */
export function compileReplacement(
  replacement: string,
  groups: number,
  names: ReadonlyMap<string, number>,
): (match: RegexMatch) => string {
  if (!replacement.includes('\\')) return () => replacement
  const parts: (string | number)[] = []
  let at = 0
  for (const found of replacement.matchAll(PART)) {
    const [all, name, octal, digits, character] = found
    parts.push(replacement.slice(at, found.index))
    at = found.index + all.length
    if (name !== undefined) parts.push(groupOf(name, groups, names))
    else if (octal) parts.push(String.fromCodePoint(Number.parseInt(octal, 8)))
    else if (digits) parts.push(groupOf(digits, groups, names))
    else parts.push(escaped(character ?? ''))
  }
  parts.push(replacement.slice(at))
  return (match) =>
    parts.map((part) => (typeof part === 'number' ? (match.groups[part] ?? '') : part)).join('')
}

function groupOf(name: string, groups: number, names: ReadonlyMap<string, number>): number {
  const group = /^\d+$/.test(name) ? Number(name) : names.get(name)
  if (group === undefined) throw new PythonError('IndexError', `unknown group name '${name}'`)
  if (group > groups) throw error(`invalid group reference ${group}`)
  return group
}

function escaped(character: string): string {
  const known = ESCAPES[character]
  if (known !== undefined) return known
  if (character === '') throw error('bad escape (end of pattern)')
  if (/[A-Za-z]/.test(character)) throw error(`bad escape \\${character}`)
  return `\\${character}`
}
