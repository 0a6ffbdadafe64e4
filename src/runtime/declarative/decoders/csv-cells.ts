export interface CsvRules {
  /** One character. */
  delimiter: string
  /** As pandas: quotes that stay open are an error, and lines of spaces are empty ones. */
  strict?: boolean
}

const QUOTE = 34
const LINE_FEED = 10

/**
 * Cuts CSV text into rows of cells while it comes in. Lines end with a line feed; a quote opens a
 * quoted part at the start of a cell only, and text may follow its end. Empty lines are left out.
 *
 * @see https://www.rfc-editor.org/rfc/rfc4180
 */
export class CsvCells {
  readonly #rules: CsvRules
  #pieces: string[] = []
  #length = 0
  /** An unfinished row is looked at again only when its text has doubled. */
  #retryAt = 0

  constructor(rules: CsvRules) {
    this.#rules = rules
  }

  /** The rows that this text completes. */
  push(text: string): string[][] {
    this.#pieces.push(text)
    this.#length += text.length
    return this.#length < this.#retryAt ? [] : this.#take(false)
  }

  /** The row that was left open. */
  end(): string[][] {
    return this.#take(true)
  }

  #take(isAll: boolean): string[][] {
    const text = this.#pieces.length === 1 ? (this.#pieces[0] as string) : this.#pieces.join('')
    const { rows, rest } = cut(text, this.#rules, isAll)
    this.#pieces = rest === '' ? [] : [rest]
    this.#length = rest.length
    this.#retryAt = rows.length === 0 ? rest.length * 2 : 0
    return rows
  }
}

function cut(text: string, rules: CsvRules, isAll: boolean): { rows: string[][]; rest: string } {
  const rows: string[][] = []
  let at = 0
  while (at < text.length) {
    if (text.charCodeAt(at) === LINE_FEED) {
      at++
      continue
    }
    const end = text.indexOf('\n', at)
    if (end === -1 && !isAll) break
    const line = text.slice(at, end === -1 ? text.length : end)
    if (!line.includes('"')) {
      if (!rules.strict || line.trim() !== '') rows.push(line.split(rules.delimiter))
      at += line.length + 1
      continue
    }
    const next = quotedRow(text, at, rules, isAll)
    if (!next) break
    rows.push(next.cells)
    at = next.end
  }
  return { rows, rest: at < text.length ? text.slice(at) : '' }
}

/** One row cell by cell; undefined when its end is not there yet. */
function quotedRow(text: string, start: number, { delimiter, strict }: CsvRules, isAll: boolean) {
  const separator = delimiter.charCodeAt(0)
  const cells: string[] = []
  let at = start
  for (;;) {
    let cell = ''
    if (text.charCodeAt(at) === QUOTE) {
      const part = quotedPart(text, at + 1, isAll)
      if (!part) return undefined
      if (strict && part.isOpen) throw new SyntaxError('it ends within quotes')
      cell = part.value
      at = part.end
    }
    let end = at
    while (end < text.length) {
      const code = text.charCodeAt(end)
      if (code === separator || code === LINE_FEED) break
      end++
    }
    cells.push(cell + text.slice(at, end))
    if (end >= text.length) return isAll ? { cells, end } : undefined
    at = end + 1
    if (text.charCodeAt(end) === LINE_FEED) return { cells, end: at }
  }
}

/** The text up to the closing quote, a doubled one being one of its own, and where it goes on. */
function quotedPart(text: string, from: number, isAll: boolean) {
  let value = ''
  let at = from
  for (;;) {
    const quote = text.indexOf('"', at)
    if (quote === -1) {
      return isAll ? { value: value + text.slice(at), end: text.length, isOpen: true } : undefined
    }
    // Whether a quote at the very end closes or is doubled, the next piece tells.
    if (quote + 1 === text.length && !isAll) return undefined
    value += text.slice(at, quote)
    if (text.charCodeAt(quote + 1) !== QUOTE) return { value, end: quote + 1, isOpen: false }
    value += '"'
    at = quote + 2
  }
}
