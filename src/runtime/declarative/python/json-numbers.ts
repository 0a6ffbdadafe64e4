import { normalizeInt } from './numbers.ts'
import { float, type Value } from './values.ts'

/**
 * Finds the numbers of a JSON text that `JSON.parse` cannot give as Python has them: integers that a
 * double may not hold, and floats whose value is integral or may round to it. A number stands between
 * punctuation; what looks so inside a string is sorted out by `markNumbers`.
 */
const FRACTION = '\\.(?:0+(?![^,\\]}\\s])|\\d*?(?:0{6}|9{6}))'
const CARE = `\\d{16}|\\d+(?:${FRACTION}|(?:\\.\\d+)?[eE][-+\\d])|(?<=-)0(?![.\\d])`
/** What begins with punctuation is found many times faster than what a look-behind precedes. */
const NEEDS_CARE = new RegExp(`[:,[\\s]-?(?:${CARE})`)
const CANDIDATE = new RegExp(`[:,[\\s](-?(?:${CARE})[\\d.eE+-]*)`, 'g')

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/

/** Stands before a number's digits in the text that takes its place; no JSON text begins so. */
const MARK = '\u0001'
const ESCAPED_MARK = '\\u0001'

/**
 * JSON text as Python's `json.loads` reads it: ints beyond 2^53 become `bigint`, and `2.0` stays a
 * float. The native parser does the work; the few numbers that it would change pass it as text.
 *
 * @throws SyntaxError for anything that is not JSON (also `NaN`, which Python would take)
 */
export function parseExactly(text: string): Value {
  // One number alone has nothing before it; a text that holds the mark already is read slowly.
  if (/^-?\d/.test(text) || text.includes(ESCAPED_MARK)) return JSON.parse(text, revive)
  if (!NEEDS_CARE.test(text)) return JSON.parse(text)
  const marked = markNumbers(text)
  const value = JSON.parse(marked) as Value
  return marked === text ? value : unmark(value)
}

function markNumbers(text: string): string {
  let marked = ''
  let copied = 0
  const strings = new StringScan(text)
  CANDIDATE.lastIndex = 0
  for (let match = CANDIDATE.exec(text); match; match = CANDIDATE.exec(text)) {
    const [, number = ''] = match
    const at = match.index + 1
    const end = at + number.length
    // The punctuation after one number is that before the next.
    CANDIDATE.lastIndex = end
    // A number that is none must stay one, to be refused.
    if (strings.holds(at) || !NUMBER.test(number)) continue
    marked += `${text.slice(copied, at)}"${ESCAPED_MARK}${number}"`
    copied = end
  }
  return copied === 0 ? text : marked + text.slice(copied)
}

/** Tells whether a place is inside a string; places are asked for in ascending order. */
class StringScan {
  readonly #text: string
  #inside = false
  #next: number

  constructor(text: string) {
    this.#text = text
    this.#next = text.indexOf('"')
  }

  holds(place: number): boolean {
    while (this.#next !== -1 && this.#next < place) {
      if (!this.#inside || !this.#isEscaped(this.#next)) this.#inside = !this.#inside
      this.#next = this.#text.indexOf('"', this.#next + 1)
    }
    return this.#inside
  }

  #isEscaped(quote: number): boolean {
    let backslashes = 0
    while (this.#text[quote - 1 - backslashes] === '\\') backslashes++
    return backslashes % 2 === 1
  }
}

/** Puts the numbers in the place of their marks. */
function unmark(value: Value): Value {
  if (typeof value === 'string') return value.startsWith(MARK) ? numberOf(value.slice(1)) : value
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item = value[i]
      if (isMarked(item)) value[i] = unmark(item)
    }
  } else if (typeof value === 'object' && value !== null) {
    const object = value as { [key: string]: Value }
    for (const key in object) {
      const item = object[key]
      if (!isMarked(item)) continue
      const plain = unmark(item)
      // Assigned, it would become the prototype.
      if (key === '__proto__') Object.defineProperty(object, key, { value: plain })
      else object[key] = plain
    }
  }
  return value
}

const isMarked = (value: Value) =>
  typeof value === 'string'
    ? value.charCodeAt(0) === 1
    : typeof value === 'object' && value !== null

interface ReviverContext {
  source?: string
}

function revive(_key: string, value: unknown, context?: ReviverContext): unknown {
  const source = typeof value === 'number' ? context?.source : undefined
  return source === undefined ? value : numberOf(source)
}

function numberOf(source: string): Value {
  const value = Number(source)
  if (/[.eE]/.test(source)) return float(value)
  return Number.isSafeInteger(value) ? value + 0 : normalizeInt(BigInt(source))
}
