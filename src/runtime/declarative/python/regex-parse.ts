import { PythonError } from './errors.ts'
import { type CodeTest, classEscape, fold, upper } from './regex-classes.ts'
import type { ParsedRegex, RegexNode } from './regex-nodes.ts'

interface Flags {
  i: boolean
  m: boolean
  s: boolean
  x: boolean
}

const MAX_DEPTH = 100
const error = (message: string) => new PythonError('RegexError', message)

/**
 * Parses the syntax of Python's `re`: named groups `(?P<a>…)`, `\Z`, inline flags, look-around,
 * atomic groups, possessive repeats, conditionals.
 */
export function parseRegex(pattern: string): ParsedRegex {
  return new Parser(pattern).parse()
}

class Parser {
  readonly #source: string[]
  #at = 0
  #groups = 0
  #depth = 0
  readonly #names = new Map<string, number>()
  #flags: Flags = { i: false, m: false, s: false, x: false }

  constructor(pattern: string) {
    this.#source = Array.from(pattern)
  }

  parse(): ParsedRegex {
    const node = this.#either()
    if (this.#at < this.#source.length) throw error('unbalanced parenthesis')
    return { node, groups: this.#groups, names: this.#names }
  }

  get #next(): string | undefined {
    return this.#source[this.#at]
  }

  #take(text: string): boolean {
    if (this.#source.slice(this.#at, this.#at + text.length).join('') !== text) return false
    this.#at += text.length
    return true
  }

  #until(close: string): string {
    const end = this.#source.indexOf(close, this.#at)
    if (end < 0) throw error(`missing ${close}, unterminated name`)
    const text = this.#source.slice(this.#at, end).join('')
    this.#at = end + 1
    return text
  }

  #either(): RegexNode {
    if (++this.#depth > MAX_DEPTH) throw error('the pattern is nested too deep')
    const options = [this.#sequence()]
    while (this.#take('|')) options.push(this.#sequence())
    this.#depth--
    return options.length === 1 && options[0] ? options[0] : { type: 'either', options }
  }

  #sequence(): RegexNode {
    const items: RegexNode[] = []
    while (this.#next !== undefined && this.#next !== '|' && this.#next !== ')') {
      if (this.#flags.x && this.#skipBlank()) continue
      const item = this.#atom()
      if (item) items.push(this.#repeated(item))
    }
    return items.length === 1 && items[0] ? items[0] : { type: 'sequence', items }
  }

  #skipBlank(): boolean {
    if (this.#take('#')) {
      while (this.#next !== undefined && this.#next !== '\n') this.#at++
      return true
    }
    if (!/\s/.test(this.#next ?? '')) return false
    this.#at++
    return true
  }

  #atom(): RegexNode | undefined {
    const character = this.#source[this.#at++] ?? ''
    if (character === '(') return this.#group()
    if (character === '[') return { type: 'code', test: this.#set() }
    if (character === '\\') return this.#escape()
    if (character === '.') {
      const all = this.#flags.s
      return { type: 'code', test: (code) => all || code !== 10 }
    }
    if (character === '^') return { type: 'assert', at: this.#flags.m ? 'lineStart' : 'start' }
    if (character === '$') return { type: 'assert', at: this.#flags.m ? 'lineEnd' : 'end' }
    if ('*+?'.includes(character)) throw error('nothing to repeat')
    return this.#literal(character.codePointAt(0) ?? 0)
  }

  #literal(wanted: number): RegexNode {
    if (!this.#flags.i) return { type: 'code', test: (code) => code === wanted }
    const folded = fold(wanted)
    return { type: 'code', test: (code) => code === wanted || fold(code) === folded }
  }

  #repeated(of: RegexNode): RegexNode {
    let node = of
    let isRepeated = false
    for (;;) {
      const range = this.#range()
      if (!range) return node
      if (isRepeated) throw error('multiple repeat')
      if (node.type === 'assert' && range.min > 0 && range.max > 1) range.max = range.min
      const mode = this.#take('?') ? 'lazy' : this.#take('+') ? 'possessive' : 'greedy'
      node = { type: 'repeat', of: node, ...range, mode }
      isRepeated = true
    }
  }

  #range(): { min: number; max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY }
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY }
    if (this.#take('?')) return { min: 0, max: 1 }
    if (this.#next !== '{') return undefined
    const match = /^\{(\d*)(,?)(\d*)\}/.exec(this.#source.slice(this.#at, this.#at + 30).join(''))
    if (!match || match[0] === '{}' || (match[1] === '' && match[2] === '')) return undefined
    this.#at += match[0].length
    const min = Number(match[1] || 0)
    const max = match[2] === '' ? min : match[3] ? Number(match[3]) : Number.POSITIVE_INFINITY
    if (max < min) throw error('min repeat greater than max repeat')
    return { min, max }
  }

  #escape(): RegexNode {
    const character = this.#source[this.#at++]
    if (character === undefined) throw error('bad escape (end of pattern)')
    if (character === 'A') return { type: 'assert', at: 'start' }
    if (character === 'Z') return { type: 'assert', at: 'textEnd' }
    if (character === 'b') return { type: 'assert', at: 'word' }
    if (character === 'B') return { type: 'assert', at: 'notWord' }
    const test = classEscape(character)
    if (test) return { type: 'code', test }
    if (/[1-9]/.test(character)) {
      const octal = /^[0-3][0-7][0-7]/.exec(this.#source.slice(this.#at - 1, this.#at + 2).join(''))
      if (octal) {
        this.#at += 2
        return this.#literal(Number.parseInt(octal[0], 8))
      }
      const second = /\d/.test(this.#next ?? '') ? this.#source[this.#at++] : ''
      return this.#reference(Number(character + second))
    }
    return this.#literal(this.#codeEscape(character))
  }

  #reference(group: number): RegexNode {
    if (group > this.#groups) throw error(`invalid group reference ${group}`)
    return { type: 'reference', group, ignoreCase: this.#flags.i }
  }

  /** The code of an escape such as `\n`, `\x41`, `\u0041`, `\.`; letters without a meaning are errors. */
  #codeEscape(character: string): number {
    const simple = SIMPLE[character]
    if (simple !== undefined) return simple
    const digits = { x: 2, u: 4, U: 8 }[character]
    if (digits) {
      const hex = this.#source.slice(this.#at, this.#at + digits).join('')
      if (!new RegExp(`^[0-9a-fA-F]{${digits}}$`).test(hex))
        throw error(`incomplete escape \\${character}`)
      this.#at += digits
      return Number.parseInt(hex, 16)
    }
    if (character === '0') {
      const octal =
        /^[0-7]{0,2}/.exec(this.#source.slice(this.#at, this.#at + 2).join(''))?.[0] ?? ''
      this.#at += octal.length
      return Number.parseInt(`0${octal}`, 8)
    }
    if (/[A-Za-z]/.test(character)) throw error(`bad escape \\${character}`)
    return character.codePointAt(0) ?? 0
  }

  #set(): CodeTest {
    const negated = this.#take('^')
    const tests: CodeTest[] = []
    for (let isFirst = true; isFirst || this.#next !== ']'; isFirst = false) {
      const from = this.#setMember()
      if (typeof from === 'function') {
        tests.push(from)
        continue
      }
      const isRange = this.#next === '-' && this.#source[this.#at + 1] !== ']'
      if (isRange) this.#at++
      const to = isRange ? this.#setMember() : from
      if (typeof to === 'function' || to < from) throw error('bad character range')
      tests.push((code) => code >= from && code <= to)
    }
    this.#at++
    const { i } = this.#flags
    const matches = (code: number) => tests.some((test) => test(code))
    const either: CodeTest = i
      ? (code) => matches(code) || matches(fold(code)) || matches(upper(code))
      : matches
    return negated ? (code) => !either(code) : either
  }

  #setMember(): number | CodeTest {
    const character = this.#source[this.#at++]
    if (character === undefined) throw error('unterminated character set')
    if (character !== '\\') return character.codePointAt(0) ?? 0
    const escaped = this.#source[this.#at++]
    if (escaped === undefined) throw error('unterminated character set')
    if (escaped === 'b') return 8
    if (/[1-7]/.test(escaped)) {
      const octal =
        /^[0-7]{1,3}/.exec(this.#source.slice(this.#at - 1, this.#at + 2).join(''))?.[0] ?? ''
      this.#at += octal.length - 1
      return Number.parseInt(octal, 8)
    }
    return classEscape(escaped) ?? this.#codeEscape(escaped)
  }

  #group(): RegexNode | undefined {
    if (!this.#take('?')) return this.#capture()
    if (this.#take('P')) {
      if (this.#take('<')) return this.#capture(this.#until('>'))
      if (!this.#take('=')) throw error('unknown extension ?P')
      return this.#reference(this.#groupNamed(this.#until(')')))
    }
    if (this.#take(':')) return this.#inside()
    if (this.#take('#')) {
      this.#until(')')
      return undefined
    }
    if (this.#take('>')) return { type: 'atomic', of: this.#inside() }
    for (const [sign, behind, negated] of LOOKS)
      if (this.#take(sign)) return { type: 'look', behind, negated, of: this.#inside() }
    if (this.#take('(')) return this.#conditional()
    return this.#inlineFlags()
  }

  #capture(name?: string): RegexNode {
    const index = ++this.#groups
    if (name !== undefined) {
      if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) throw error('bad character in group name')
      if (this.#names.has(name)) throw error(`redefinition of group name '${name}'`)
      this.#names.set(name, index)
    }
    return { type: 'group', index, of: this.#inside() }
  }

  #inside(): RegexNode {
    const flags = { ...this.#flags }
    const node = this.#either()
    if (!this.#take(')')) throw error('missing ), unterminated subpattern')
    this.#flags = flags
    return node
  }

  #groupNamed(name: string): number {
    const group = /^\d+$/.test(name) ? Number(name) : this.#names.get(name)
    if (group === undefined) throw error(`unknown group name '${name}'`)
    return group
  }

  #conditional(): RegexNode {
    const group = this.#groupNamed(this.#until(')'))
    const matched = this.#sequence()
    const otherwise: RegexNode = this.#take('|')
      ? this.#sequence()
      : { type: 'sequence', items: [] }
    if (!this.#take(')')) throw error('missing ), unterminated subpattern')
    return { type: 'conditional', group, matched, otherwise }
  }

  #inlineFlags(): RegexNode | undefined {
    const rest = this.#source.slice(this.#at).join('')
    const match = /^([aiLmsux]*)(?:-([imsx]+))?([:)])/.exec(rest)
    if (!match || match[0] === ')' || match[0] === ':') throw error('unknown extension')
    if (match[3] === ')' && (this.#at !== 2 || match[2]))
      throw error('global flags not at the start')
    this.#at += match[0].length
    const outer = this.#flags
    this.#flags = { ...outer }
    for (const flag of match[1] ?? '')
      if (flag in this.#flags) this.#flags[flag as keyof Flags] = true
    for (const flag of match[2] ?? '') this.#flags[flag as keyof Flags] = false
    if (match[3] === ')') return undefined
    const node = this.#inside()
    this.#flags = outer
    return node
  }
}

const LOOKS: [string, boolean, boolean][] = [
  ['=', false, false],
  ['!', false, true],
  ['<=', true, false],
  ['<!', true, true],
]

const SIMPLE: Record<string, number> = { n: 10, t: 9, r: 13, f: 12, v: 11, a: 7 }
