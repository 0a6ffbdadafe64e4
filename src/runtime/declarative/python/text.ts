import { checkLength, PythonError } from './errors.ts'
import { mappingEntries } from './mappings.ts'
import { PyFloat, PyObject, Tuple, type Value } from './values.ts'

/** Python's `str(value)`: `True`, `None`, `2.0`, `{'a': [1, 'b']}`. */
export function str(value: Value): string {
  if (typeof value === 'string') return value
  return value instanceof PyObject && value.typeName !== 'dict' ? value.str() : repr(value)
}

/** Python's `repr(value)`: as `str`, with text in quotes. */
export function repr(value: Value): string {
  switch (typeof value) {
    case 'string':
      return reprText(value)
    case 'number':
      return Number.isSafeInteger(value) ? `${value + 0}` : floatText(value)
    case 'bigint':
      return value.toString()
    case 'boolean':
      return value ? 'True' : 'False'
    case 'undefined':
      return 'None'
    default:
  }
  if (value === null) return 'None'
  if (value instanceof PyFloat) return floatText(value.value)
  if (value instanceof PyObject && value.typeName !== 'dict') return value.repr()
  return reprCollection(value as object)
}

const MAX_DEPTH = 200
let depth = 0

function reprCollection(value: object): string {
  if (depth > MAX_DEPTH) throw new PythonError('LimitError', 'a value is nested too deep to print')
  depth++
  try {
    const text = collectionText(value)
    checkLength(text.length)
    return text
  } finally {
    depth--
  }
}

function collectionText(value: object): string {
  if (value instanceof Tuple)
    return value.length === 1 ? `(${repr(value[0])},)` : `(${Array.from(value, repr).join(', ')})`
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`
  const items = Array.from(mappingEntries(value), ([key, item]) => `${repr(key)}: ${repr(item)}`)
  return `{${items.join(', ')}}`
}

/** A float as Python prints it: shortest digits that round-trip, exponent below 1e-4 and from 1e16. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const magnitude = Math.abs(value)
  if (magnitude >= 1e16 || magnitude < 1e-4) {
    const [digits = '', exponent = '0'] = value.toExponential().split('e')
    const power = Math.abs(Number(exponent))
    return `${digits}e${exponent.startsWith('-') ? '-' : '+'}${power < 10 ? '0' : ''}${power}`
  }
  if (magnitude < 1e-6) return value.toFixed(20)
  return Number.isInteger(value) ? `${value}.0` : `${value}`
}

const SHORT_ESCAPES: Record<string, string> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}
const PLAIN = /^[ !#-&(-[\]-~]*$/
const UNPRINTABLE = /\\|[\p{C}\p{Z}]/gu

/** A text in Python quotes: single ones unless it holds one and no double quote. */
function reprText(text: string): string {
  if (PLAIN.test(text)) return `'${text}'`
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text.replace(UNPRINTABLE, escapeCharacter)
  return quote + (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + quote
}

function escapeCharacter(character: string): string {
  if (character === ' ') return ' '
  const short = SHORT_ESCAPES[character]
  if (short) return short
  const code = character.codePointAt(0) ?? 0
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`
  return `\\U${code.toString(16).padStart(8, '0')}`
}
