import { parseInteger } from '../python/numbers.ts'
import { unescapeText } from '../python/string-literal.ts'
import { float, type Value } from '../python/values.ts'
import { TemplateSyntaxError } from './syntax-error.ts'

export type TokenType =
  | 'data'
  | 'variable_begin'
  | 'variable_end'
  | 'block_begin'
  | 'block_end'
  | 'name'
  | 'literal'
  | 'string'
  | 'operator'
  | 'end'

export interface Token {
  type: TokenType
  /** Text of data, names and operators. */
  text: string
  /** Value of literals and strings. */
  value?: Value
  /** Offset in the template. */
  at: number
}

const OPENING = /\{([{%#])([-+]?)/g
const RAW = /\{%[-+]?\s*raw\s*(?:(-%\}\s*)|%\}|\+%\})/y
const ENDRAW = /\{%([-+]?)\s*endraw\s*(?:-%\}\s*|\+?%\})/g

/**
 * Cuts a template into tokens, as Jinja2 does by default: one trailing line break is dropped,
 * `-` beside a delimiter eats the white space there, comments vanish.
 */
export function tokenize(template: string): Token[] {
  const source = template.replace(/\r\n?/g, '\n').replace(/\n$/, '')
  const tokens: Token[] = []
  let at = 0
  while (at < source.length) {
    OPENING.lastIndex = at
    const opening = OPENING.exec(source)
    const end = opening?.index ?? source.length
    const data = source.slice(at, end)
    const text = opening?.[2] === '-' ? data.trimEnd() : data
    if (text) tokens.push({ type: 'data', text, at })
    if (!opening) break
    at = afterTag(source, opening, tokens)
  }
  tokens.push({ type: 'end', text: 'end of template', at: source.length })
  return tokens
}

/** Reads what one `{{`, `{%` or `{#` opens; gives the offset behind it. */
function afterTag(source: string, opening: RegExpExecArray, tokens: Token[]): number {
  const start = opening.index
  const inside = start + opening[0].length
  if (opening[1] === '#') return afterComment(source, inside)
  RAW.lastIndex = start
  const raw = opening[1] === '%' ? RAW.exec(source) : null
  if (raw) return afterRaw(source, start + raw[0].length, tokens)
  const kind = opening[1] === '{' ? 'variable' : 'block'
  tokens.push({ type: `${kind}_begin`, text: opening[0], at: start })
  return readTag(source, inside, kind, tokens)
}

function afterComment(source: string, from: number): number {
  const end = /(?:-#\}\s*|\+?#\})/g
  end.lastIndex = from
  const match = end.exec(source)
  if (!match) throw new TemplateSyntaxError('a comment is not closed', from)
  return match.index + match[0].length
}

function afterRaw(source: string, from: number, tokens: Token[]): number {
  ENDRAW.lastIndex = from
  const end = ENDRAW.exec(source)
  if (!end) throw new TemplateSyntaxError('a raw block is not closed', from)
  const data = source.slice(from, end.index)
  const text = end[1] === '-' ? data.trimEnd() : data
  if (text) tokens.push({ type: 'data', text, at: from })
  return end.index + end[0].length
}

const CLOSING = { variable: /-\}\}\s*|\}\}/y, block: /-%\}\s*|\+?%\}/y }
const BLANK = /\s+/y
const FLOAT =
  /(?<!\.)\d+(?:_\d+)*(?:\.\d+(?:_\d+)*(?:[eE][+-]?\d+(?:_\d+)*)?|[eE][+-]?\d+(?:_\d+)*)/y
const INTEGER =
  /0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\da-fA-F])+|[1-9](?:_?\d)*|0(?:_?0)*/y
const NAME = /[\p{L}_][\p{L}\p{N}\p{M}_]*/uy
const STRING = /'[^'\\]*(?:\\[\s\S][^'\\]*)*'|"[^"\\]*(?:\\[\s\S][^"\\]*)*"/y
const OPERATOR = /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}><=.:|,;]/y
const PAIRS: Record<string, string> = { ')': '(', ']': '[', '}': '{' }

function readTag(
  source: string,
  from: number,
  kind: 'variable' | 'block',
  tokens: Token[],
): number {
  const open: string[] = []
  let at = from
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at
    const match = pattern.exec(source)?.[0]
    return match
  }
  while (at < source.length) {
    const closing = open.length === 0 ? take(CLOSING[kind]) : undefined
    if (closing !== undefined) {
      tokens.push({ type: `${kind}_end`, text: closing.trim(), at })
      return at + closing.length
    }
    const blank = take(BLANK)
    if (blank) {
      at += blank.length
      continue
    }
    const token = readToken(take, at)
    if (token.type === 'operator') balance(token, open)
    tokens.push(token)
    at += token.length
  }
  throw new TemplateSyntaxError(`a ${kind === 'block' ? '{%' : '{{'} is not closed`, from)
}

type Take = (pattern: RegExp) => string | undefined

function readToken(take: Take, at: number): Token & { length: number } {
  const decimal = take(FLOAT)
  if (decimal) return literal(decimal, float(Number(decimal.replaceAll('_', ''))), at)
  const integer = take(INTEGER)
  if (integer) return literal(integer, parseInteger(integer, /^0\D/.test(integer) ? 0 : 10), at)
  const name = take(NAME)
  if (name) return { type: 'name', text: name, at, length: name.length }
  const string = take(STRING)
  if (string) {
    const value = unescapeText(string.slice(1, -1))
    if (value === undefined) throw new TemplateSyntaxError('a malformed escape in a string', at)
    return { type: 'string', text: string, value, at, length: string.length }
  }
  const operator = take(OPERATOR)
  if (!operator) throw new TemplateSyntaxError('an unexpected character', at)
  return { type: 'operator', text: operator, at, length: operator.length }
}

const literal = (text: string, value: Value, at: number): Token & { length: number } => ({
  type: 'literal',
  text,
  value,
  at,
  length: text.length,
})

function balance(token: Token, open: string[]): void {
  const { text, at } = token
  if ('([{'.includes(text)) open.push(text)
  const opening = PAIRS[text]
  if (opening && open.pop() !== opening) throw new TemplateSyntaxError(`unexpected '${text}'`, at)
}
