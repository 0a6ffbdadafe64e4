/**
 * JSON text in the form in which PostgreSQL prints `jsonb`: keys ordered by byte length, then by
 * bytes; of equal keys the last; `", "` and `": "` between; every digit of a number kept, exponents
 * expanded. One pass over the text, no intermediate tree.
 * @see https://www.postgresql.org/docs/current/datatype-json.html
 */
import { expandDecimal } from './decimal-text.ts'

/**
 * @returns undefined if the text is not JSON, or not JSON that `jsonb` holds (U+0000, lone surrogates).
 * @example
 * jsonbText('{"name":"x","id":1.50}') // '{"id": 1.50, "name": "x"}'
 */
export function jsonbText(text: string): string | undefined {
  try {
    const printer = new Printer(text)
    return printer.document()
  } catch {
    // Not JSON (SyntaxError below), or nested too deep for the stack: the database judges it.
    return undefined
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

class Printer {
  private readonly text: string
  private at = 0

  constructor(text: string) {
    this.text = text
  }

  document(): string {
    const printed = this.value()
    this.next()
    if (this.at < this.text.length) throw new SyntaxError('trailing')
    return printed
  }

  /** Skips white space; the code of the character that follows, NaN at the end. */
  private next(): number {
    for (;;) {
      const code = this.text.charCodeAt(this.at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code
      this.at++
    }
  }

  private value(): string {
    switch (this.next()) {
      case 0x7b:
        return this.object()
      case 0x5b:
        return this.array()
      case QUOTE:
        return this.string()
      case 0x74:
        return this.word('true')
      case 0x66:
        return this.word('false')
      case 0x6e:
        return this.word('null')
      default:
        return this.number()
    }
  }

  private object(): string {
    this.at++
    const keys: string[] = []
    const members: string[] = []
    if (this.next() === 0x7d) {
      this.at++
      return '{}'
    }
    for (;;) {
      if (this.next() !== QUOTE) throw new SyntaxError('key')
      const key = this.string()
      if (this.next() !== 0x3a) throw new SyntaxError('colon')
      this.at++
      keys.push(key)
      members.push(`${key}: ${this.value()}`)
      if (this.closes(0x7d)) break
    }
    return `{${inOrder(keys, members)}}`
  }

  private array(): string {
    this.at++
    if (this.next() === 0x5d) {
      this.at++
      return '[]'
    }
    let printed = `[${this.value()}`
    while (!this.closes(0x5d)) printed += `, ${this.value()}`
    return `${printed}]`
  }

  /** After a member: true at the closing bracket, false at a comma. */
  private closes(bracket: number): boolean {
    const code = this.next()
    this.at++
    if (code === bracket) return true
    if (code !== 0x2c) throw new SyntaxError('separator')
    return false
  }

  /** A string with its quotes. Without escapes it is a slice of the input. */
  private string(): string {
    const start = this.at++
    let escaped = false
    for (;;) {
      const code = this.text.charCodeAt(this.at++)
      if (code === QUOTE) break
      if (code === BACKSLASH) {
        escaped = true
        this.at++
      } else if (!(code >= 0x20)) throw new SyntaxError('string')
    }
    const literal = this.text.slice(start, this.at)
    return escaped ? reprint(literal) : literal
  }

  private word(word: string): string {
    if (!this.text.startsWith(word, this.at)) throw new SyntaxError('word')
    this.at += word.length
    return word
  }

  private number(): string {
    NUMBER.lastIndex = this.at
    const match = NUMBER.exec(this.text)
    if (!match) throw new SyntaxError('number')
    this.at = NUMBER.lastIndex
    return expandDecimal(match[0]) ?? match[0]
  }
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** A string literal with escapes, with only those that PostgreSQL prints. */
function reprint(literal: string): string {
  const value = JSON.parse(literal) as string
  if (!value.isWellFormed() || value.includes('\0')) throw new SyntaxError('not storable')
  // JSON.stringify escapes exactly as PostgreSQL does: \b \f \n \r \t \" \\ and \u00xx in lower case.
  return JSON.stringify(value)
}

/** Members in PostgreSQL's key order, the last of equal keys. */
function inOrder(keys: string[], members: string[]): string {
  let text = ''
  for (const index of orderOf(keys)) text += `${text === '' ? '' : ', '}${members[index]}`
  return text
}

/** Objects of one column mostly have the same keys: their order is found once. */
const orders = new Map<string, number[]>()
const MAX_ORDERS = 2000
/** What is longer is not kept: the table stays within some megabytes. */
const MAX_SHAPE = 1000

function orderOf(keys: string[]): number[] {
  const shape = keys.join()
  if (shape.length > MAX_SHAPE) return sortedOrder(keys)
  let order = orders.get(shape)
  if (!order) {
    order = sortedOrder(keys)
    if (orders.size >= MAX_ORDERS) orders.clear()
    orders.set(shape, order)
  }
  return order
}

function sortedOrder(keys: string[]): number[] {
  const last = new Map(keys.map((key, index) => [key, index]))
  return [...last.keys()].sort(byLengthThenBytes).map((key) => last.get(key) as number)
}

/** Compares what the literals stand for; escapes and characters beyond ASCII need their bytes. */
function byLengthThenBytes(a: string, b: string): number {
  if (PLAIN.test(a) && PLAIN.test(b)) return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)
  const left = encoder.encode(JSON.parse(a) as string)
  const right = encoder.encode(JSON.parse(b) as string)
  if (left.length !== right.length) return left.length - right.length
  const differs = left.findIndex((byte, index) => byte !== right[index])
  return differs < 0 ? 0 : (left[differs] as number) - (right[differs] as number)
}

const encoder = new TextEncoder()
/** A literal of ASCII characters without escapes. */
const PLAIN = /^[\x20-\x5b\x5d-\x7f]*$/
