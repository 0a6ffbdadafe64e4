import type { Arguments, Expression } from './ast.ts'
import { parseExpression } from './parse-expression.ts'
import { parseTuple } from './parse-tuple.ts'
import { TemplateSyntaxError } from './syntax-error.ts'
import type { TokenStream } from './token-stream.ts'

const CONSTANTS = new Map<string, boolean | null>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
])

/** A name, a literal, or something in brackets. */
export function parsePrimary(stream: TokenStream): Expression {
  const { type, text, value, at } = stream.current
  if (type === 'name') {
    stream.advance()
    const constant = CONSTANTS.get(text)
    return constant === undefined
      ? { type: 'name', name: text, at }
      : { type: 'constant', value: constant, at }
  }
  if (type === 'literal') {
    stream.advance()
    return { type: 'constant', value, at }
  }
  if (type === 'string') return parseStrings(stream)
  if (stream.skip('operator', '(')) {
    const inner = parseTuple(stream, { inParentheses: true })
    stream.expect('operator', ')')
    return inner
  }
  if (stream.isOperator('[')) return parseList(stream)
  if (stream.isOperator('{')) return parseDict(stream)
  throw stream.unexpected()
}

/** Strings side by side are one. */
function parseStrings(stream: TokenStream): Expression {
  const { at } = stream.current
  let value = ''
  while (stream.is('string')) value += stream.advance().value as string
  return { type: 'constant', value, at }
}

/** What stands between commas up to a closing bracket; a last comma is allowed. */
function commaSeparated<T>(stream: TokenStream, close: string, parse: () => T): T[] {
  const items: T[] = []
  while (!stream.isOperator(close)) {
    if (items.length > 0) stream.expect('operator', ',')
    if (stream.isOperator(close)) break
    items.push(parse())
  }
  stream.expect('operator', close)
  return items
}

function parseList(stream: TokenStream): Expression {
  const { at } = stream.expect('operator', '[')
  return { type: 'list', items: commaSeparated(stream, ']', () => parseExpression(stream)), at }
}

function parseDict(stream: TokenStream): Expression {
  const { at } = stream.expect('operator', '{')
  const pairs = commaSeparated(stream, '}', (): [Expression, Expression] => {
    const key = parseExpression(stream)
    stream.expect('operator', ':')
    return [key, parseExpression(stream)]
  })
  return { type: 'dict', pairs, at }
}

/** `.name`, `.0`, `[key]` or `[start:stop:step]`. */
export function parseSubscript(stream: TokenStream, of: Expression): Expression {
  const { text, at } = stream.advance()
  if (text === '.') {
    const token = stream.advance()
    if (token.type === 'name') return { type: 'attribute', of, name: token.text, at: token.at }
    if (token.type !== 'literal' || !/^\d+$/.test(token.text))
      throw new TemplateSyntaxError('expected a name or number after the dot', token.at)
    return { type: 'item', of, key: { type: 'constant', value: token.value, at }, at }
  }
  const keys: Expression[] = []
  while (!stream.isOperator(']')) {
    if (keys.length > 0) stream.expect('operator', ',')
    keys.push(parseKey(stream))
  }
  stream.expect('operator', ']')
  const key: Expression =
    keys.length === 1 && keys[0] ? keys[0] : { type: 'tuple', items: keys, at }
  return { type: 'item', of, key, at }
}

function parseKey(stream: TokenStream): Expression {
  const { at } = stream.current
  const start = stream.isOperator(':') ? undefined : parseExpression(stream)
  if (!stream.skip('operator', ':')) return start as Expression
  const atEnd = () => stream.isOperator(':') || stream.isOperator(']') || stream.isOperator(',')
  const stop = atEnd() ? undefined : parseExpression(stream)
  const step = stream.skip('operator', ':') && !atEnd() ? parseExpression(stream) : undefined
  return { type: 'slice', start, stop, step, at }
}

/** `(a, b, name=c, *list, **dict)`. */
export function parseArguments(stream: TokenStream): Arguments {
  stream.expect('operator', '(')
  const given: Arguments = { args: [], kwargs: [] }
  let needsComma = false
  while (!stream.isOperator(')')) {
    if (needsComma) stream.expect('operator', ',')
    if (stream.isOperator(')')) break
    parseArgument(stream, given)
    needsComma = true
  }
  stream.expect('operator', ')')
  return given
}

function parseArgument(stream: TokenStream, given: Arguments): void {
  const fail = () => stream.unexpected('arguments in their order')
  if (stream.skip('operator', '*')) {
    if (given.spread || given.spreadKeywords) throw fail()
    given.spread = parseExpression(stream)
  } else if (stream.skip('operator', '**')) {
    if (given.spreadKeywords) throw fail()
    given.spreadKeywords = parseExpression(stream)
  } else if (stream.is('name') && stream.next?.type === 'operator' && stream.next.text === '=') {
    if (given.spreadKeywords) throw fail()
    const name = stream.advance().text
    stream.advance()
    given.kwargs.push([name, parseExpression(stream)])
  } else {
    if (given.spread || given.spreadKeywords || given.kwargs.length > 0) throw fail()
    given.args.push(parseExpression(stream))
  }
}
