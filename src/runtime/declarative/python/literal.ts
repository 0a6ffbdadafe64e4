import { Dict, setOwn } from './mappings.ts'
import { negate, parseInteger } from './numbers.ts'
import { readString } from './string-literal.ts'
import { float, Tuple, type Value } from './values.ts'

/** A literal nested deeper than this stays text, as in Python's own parser. */
const MAX_DEPTH = 199

/**
 * Python's `ast.literal_eval` of a text, or JavaScript's undefined when it is no literal.
 * Sets, bytes, complex numbers and `...` count as text: no record can hold them.
 * @example
 * literalEval("{'a': 1_000}") // { a: 1000 }
 */
export function literalEval(text: string): Value {
  const start = LEADING.exec(text)?.[0].length ?? 0
  if (!START.test(text.charAt(start))) return undefined
  const source = start ? text.slice(start) : text
  if (!mayBeLiteral(source) || UNREADABLE.test(source)) return undefined
  const reader = new LiteralReader(source.includes('\r') ? source.replace(/\r\n?/g, '\n') : source)
  return reader.read()
}

const LEADING = /^[ \t]+/
const START = /[\d.+\-([{'"#\n\r\fTFNrRuU]/
/** Python refuses source text with a NUL, or that UTF-8 cannot hold. */
const UNREADABLE = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/
const WORD = /^(?:True|False|None)\b|^[rRuU]["']/
const NUMBER =
  '(?:0[xX](?:_?[\\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|' +
  '(?:\\d(?:_?\\d)*)?\\.(?:\\d(?:_?\\d)*)(?:[eE][+-]?\\d(?:_?\\d)*)?|' +
  '\\d(?:_?\\d)*(?:\\.?[eE][+-]?\\d(?:_?\\d)*|\\.)|' +
  '[1-9](?:_?\\d)*|0(?:_?0)*)'
const NUMBER_AT = new RegExp(NUMBER, 'y')
const ONE_NUMBER = new RegExp(`^[+-]?[ \\t\\f]*${NUMBER}[ \\t\\f]*(?:$|[,#\\n\\r\\\\])`)

/** A quick look at the beginning: most texts (names, dates, URLs) end here. */
function mayBeLiteral(text: string): boolean {
  const first = text.charCodeAt(0)
  if (first >= 0x41) return first === 0x5b || first === 0x7b || WORD.test(text)
  const isNumber = (first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d
  return isNumber ? ONE_NUMBER.test(text) || SIGNED_GROUP.test(text) : true
}

const SIGNED_GROUP = /^[+-][ \t\f]*\(/

/** Blank lines and comments may follow, but no blanks on a last line of their own. */
const ENDING = /^[ \t\f]*(?:#[^\n]*)?(?:\n(?:[ \t\f]*(?:#[^\n]*)?(?=\n))?)*$/
const SIGNED_IN_GROUP = /^[(\s]*[+-]/

/** Recursive descent over a literal. Every method gives undefined when the text is none. */
class LiteralReader {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): Value {
    const leading = /^(?:[ \t\f]*(?:#[^\n]*)?\n)*/.exec(this.#text)?.[0].length ?? 0
    this.#at = leading
    if (leading && /[ \t]/.test(this.#text.charAt(leading))) return undefined
    const value = this.#tupleOrItem()
    const isContinued = this.#text.endsWith('\\\n')
    if (value === undefined || isContinued) return undefined
    return ENDING.test(this.#text.slice(this.#at)) ? value : undefined
  }

  /** One item, or several with commas between: a tuple. */
  #tupleOrItem(close = ''): Value {
    const first = this.#item()
    if (first === undefined || !this.#take(',')) return first
    const tuple = Tuple.of(first)
    while (!this.#atEnd(close)) {
      const item = this.#item()
      if (item === undefined) return undefined
      tuple.push(item)
      if (!this.#take(',')) break
    }
    return tuple
  }

  #item(): Value {
    this.#skip()
    const character = this.#text[this.#at] ?? ''
    if (character === '(') return this.#group()
    if (character === '[') return this.#list()
    if (character === '{') return this.#dict()
    if (character === '+' || character === '-') return this.#signed(character)
    if (/[rRuU"']/.test(character)) return this.#strings()
    const word = this.#match(/(?:True|False|None)(?![\w\u0080-\uffff])/y)
    if (word) return word === 'None' ? null : word === 'True'
    return this.#number()
  }

  #number(): Value {
    const digits = this.#match(NUMBER_AT)
    if (!digits || /[\w\u0080-\uffff]/.test(this.#text[this.#at] ?? '')) return undefined
    if (digits.length > 4300) return undefined
    const isHex = /^0[xX]/.test(digits)
    if (!isHex && /[.eE]/.test(digits)) return float(Number(digits.replaceAll('_', '')))
    return parseInteger(digits, /^0[xXoObB]/.test(digits) ? 0 : 10)
  }

  #signed(sign: string): Value {
    this.#at++
    this.#skip()
    const isGroup = this.#text[this.#at] === '('
    if (isGroup && SIGNED_IN_GROUP.test(this.#text.slice(this.#at))) return undefined
    const value = isGroup ? this.#group() : this.#number()
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return undefined
    if (Array.isArray(value) || value instanceof Dict || value === undefined) return undefined
    return sign === '-' ? negate(value) : value
  }

  #strings(): Value {
    let text: string | undefined
    for (;;) {
      const string = readString(this.#text, this.#at)
      if (!string) break
      text = (text ?? '') + string.value
      this.#at = string.end
      this.#skip()
    }
    return text
  }

  #group(): Value {
    return this.#nested(() => {
      if (this.#take(')')) return new Tuple()
      const value = this.#tupleOrItem(')')
      return value !== undefined && this.#take(')') ? value : undefined
    })
  }

  #list(): Value {
    return this.#nested(() => {
      const items: Value[] = []
      while (!this.#take(']')) {
        if (items.length > 0 && !this.#take(',')) return undefined
        if (items.length > 0 && this.#take(']')) break
        const item = this.#item()
        if (item === undefined) return undefined
        items.push(item)
      }
      return items
    })
  }

  #dict(): Value {
    return this.#nested(() => {
      const entries: [Value, Value][] = []
      while (!this.#take('}')) {
        if (entries.length > 0 && !this.#take(',')) return undefined
        if (entries.length > 0 && this.#take('}')) break
        const key = this.#item()
        const value = key !== undefined && this.#take(':') ? this.#item() : undefined
        if (value === undefined || isUnhashable(key)) return undefined
        entries.push([key, value])
      }
      return dictOf(entries)
    })
  }

  #nested(read: () => Value): Value {
    this.#at++
    if (++this.#depth > MAX_DEPTH) return undefined
    const value = read()
    this.#depth--
    return value
  }

  #atEnd(close: string): boolean {
    this.#skip()
    const next = this.#text[this.#at]
    return next === undefined || next === '#' || next === '\n' || (close !== '' && next === close)
  }

  #take(character: string): boolean {
    this.#skip()
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  /** Blanks; inside brackets also line ends and comments. */
  #skip(): void {
    this.#match(this.#depth > 0 ? /(?:[ \t\f\n]|#[^\n]*|\\\n)+/y : /(?:[ \t\f]|\\\n)+/y)
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match) this.#at += match[0].length
    return match?.[0]
  }
}

const isUnhashable = (key: Value): boolean =>
  key instanceof Tuple
    ? key.some(isUnhashable)
    : typeof key === 'object' && key !== null && (Array.isArray(key) || !('value' in key))

/** A plain object when all keys are text, so that records and bodies hold plain data. */
function dictOf(entries: [Value, Value][]): Value {
  if (!entries.every(([key]) => typeof key === 'string')) return new Dict(entries)
  const object: { [key: string]: Value } = {}
  for (const [key, value] of entries) setOwn(object, key as string, value)
  return object
}
