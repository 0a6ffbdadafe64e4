import type { Value } from '../python/values.ts'
import { parseJson } from '../requester/json-body.ts'

/** An object or a list on the way to the items, with the path of what is in it. */
interface Container {
  isList: boolean
  prefix: string
}

type Mode = 'value' | 'first' | 'key' | 'inside' | 'after' | 'done'

/**
 * Picks the items of a list out of one JSON document while it comes in; nothing but the item at
 * hand is held. A path has the names of keys, and `item` for each item of a list on the way.
 *
 * @throws SyntaxError
 */
export class JsonItems {
  readonly #target: string
  readonly #stack: Container[] = []
  #mode: Mode = 'value'
  /** The path of the value that comes next. */
  #prefix = ''
  #rest = ''
  /** The value at hand: its pieces if it is an item, and where its end is looked for. */
  #pieces: string[] | undefined
  #depth = 0
  #inText = false
  #isEscaped = false

  constructor(path: string) {
    this.#target = `${path}.item`
  }

  /** The items that this text completes. */
  push(piece: string): Value[] {
    const text = this.#rest + piece
    this.#rest = ''
    const items: Value[] = []
    for (let at = 0; at < text.length; ) {
      if (this.#mode !== 'inside' && isSpace(text.charCodeAt(at))) at++
      else at = this.#step(text, at, items)
    }
    return items
  }

  /** @throws SyntaxError when the document is not whole */
  end(): void {
    if (this.#mode !== 'done') throw new SyntaxError('the document ends too early')
  }

  /** Takes what begins at `at`, and says where to go on; past the end when more text is needed. */
  #step(text: string, at: number, items: Value[]): number {
    switch (this.#mode) {
      case 'first':
        // After the bracket of a list or an object: it may be empty.
        if (text[at] === ']' || text[at] === '}') return this.#close(text, at)
        this.#mode = this.#stack.at(-1)?.isList ? 'value' : 'key'
        return at
      case 'value':
        return this.#open(text, at)
      case 'inside':
        return this.#scan(text, at, items)
      case 'key':
        return this.#key(text, at)
      case 'after':
        if (text[at] !== ',') return this.#close(text, at)
        this.#mode = this.#stack.at(-1)?.isList ? 'value' : 'key'
        return at + 1
      case 'done':
        throw new SyntaxError('text after the document')
    }
  }

  #open(text: string, at: number): number {
    const bracket = text[at] as string
    const isItem = this.#prefix === this.#target
    const leadsOn = this.#prefix === '' || this.#target.startsWith(`${this.#prefix}.`)
    if (!isItem && leadsOn && (bracket === '{' || bracket === '[')) {
      const isList = bracket === '['
      this.#stack.push({ isList, prefix: this.#prefix })
      if (isList) this.#prefix = join(this.#prefix, 'item')
      this.#mode = 'first'
      return at + 1
    }
    if (!VALUE_START.test(bracket)) throw new SyntaxError(`'${bracket}' begins no value`)
    this.#pieces = isItem ? [] : undefined
    this.#depth = 0
    this.#mode = 'inside'
    return at
  }

  /** To the end of a value of which only the whole matters. */
  #scan(text: string, from: number, items: Value[]): number {
    const end = this.#endOfValue(text, from)
    this.#pieces?.push(text.slice(from, end === -1 ? text.length : end))
    if (end === -1) return text.length
    if (this.#pieces) items.push(parseJson(this.#pieces.join('')))
    this.#pieces = undefined
    this.#valueRead()
    return end
  }

  #endOfValue(text: string, from: number): number {
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (this.#inText) {
        if (this.#isEscaped) this.#isEscaped = false
        else if (code === BACKSLASH) this.#isEscaped = true
        else if (code === QUOTE) {
          this.#inText = false
          if (this.#depth === 0) return at + 1
        }
      } else if (code === QUOTE) this.#inText = true
      else if (code === OPEN_BRACE || code === OPEN_BRACKET) this.#depth++
      else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
        if (this.#depth === 0) return at
        this.#depth--
        if (this.#depth === 0) return at + 1
      } else if (this.#depth === 0 && (code === COMMA || isSpace(code))) return at
    }
    return -1
  }

  #key(text: string, at: number): number {
    const match = KEY.exec(text.slice(at, at + LONGEST_KEY))
    if (!match) {
      if (text[at] !== '"' || text.length - at >= LONGEST_KEY) {
        throw new SyntaxError('a key is expected')
      }
      this.#rest = text.slice(at)
      return text.length
    }
    const key = JSON.parse(match[1] as string) as string
    this.#prefix = join(this.#stack.at(-1)?.prefix ?? '', key)
    this.#mode = 'value'
    return at + match[0].length
  }

  #close(text: string, at: number): number {
    const container = this.#stack.pop()
    if (!container || text[at] !== (container.isList ? ']' : '}')) {
      throw new SyntaxError(`'${text[at]}' is out of place`)
    }
    this.#valueRead()
    return at + 1
  }

  #valueRead(): void {
    const container = this.#stack.at(-1)
    this.#mode = container ? 'after' : 'done'
    if (container?.isList) this.#prefix = join(container.prefix, 'item')
  }
}

const QUOTE = 34
const COMMA = 44
const OPEN_BRACKET = 91
const BACKSLASH = 92
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

const LONGEST_KEY = 64 * 1024
const KEY = /^("(?:[^"\\]|\\.)*")\s*:/s
const VALUE_START = /[-"{[\dtfnNI]/

const isSpace = (code: number) => code === 32 || (code >= 9 && code <= 13) || code === 0xfeff
const join = (prefix: string, name: string) => (prefix === '' ? name : `${prefix}.${name}`)
