import type { BinaryOperator, CompareOperator, Expression } from './ast.ts'
import { parseArguments, parsePrimary, parseSubscript } from './parse-primary.ts'
import type { TokenStream } from './token-stream.ts'

/**
 * Reads an expression. Its grammar is Jinja's, weakest first: `a if b else c`, or, and, not,
 * comparisons, + -, ~, * / // %, **, signs, postfix, filters and tests.
 */
export function parseExpression(stream: TokenStream): Expression {
  return stream.nested(() => parseCondition(stream))
}

function parseCondition(stream: TokenStream): Expression {
  let left = parseOr(stream)
  while (stream.skip('name', 'if')) {
    const test = parseOr(stream)
    const otherwise = stream.skip('name', 'else') ? parseExpression(stream) : undefined
    left = { type: 'condition', test, value: left, otherwise, at: left.at }
  }
  return left
}

export function parseOr(stream: TokenStream): Expression {
  let left = parseAnd(stream)
  while (stream.skip('name', 'or'))
    left = { type: 'or', left, right: parseAnd(stream), at: left.at }
  return left
}

function parseAnd(stream: TokenStream): Expression {
  let left = parseNot(stream)
  while (stream.skip('name', 'and'))
    left = { type: 'and', left, right: parseNot(stream), at: left.at }
  return left
}

function parseNot(stream: TokenStream): Expression {
  const { at } = stream.current
  if (!stream.skip('name', 'not')) return parseCompare(stream)
  return { type: 'not', of: stream.nested(() => parseNot(stream)), at }
}

const COMPARISONS = new Set(['==', '!=', '<', '<=', '>', '>='])

function parseCompare(stream: TokenStream): Expression {
  const first = parseSum(stream)
  const rest: { operator: CompareOperator; right: Expression }[] = []
  for (let operator = comparison(stream); operator; operator = comparison(stream))
    rest.push({ operator, right: parseSum(stream) })
  return rest.length === 0 ? first : { type: 'compare', first, rest, at: first.at }
}

function comparison(stream: TokenStream): CompareOperator | undefined {
  if (stream.is('operator') && COMPARISONS.has(stream.current.text))
    return stream.advance().text as CompareOperator
  if (stream.skip('name', 'in')) return 'in'
  if (!stream.isName('not') || stream.next?.type !== 'name' || stream.next.text !== 'in')
    return undefined
  stream.advance()
  stream.advance()
  return 'not in'
}

type Parse = (stream: TokenStream) => Expression

/** A chain of operators of one strength, left to right. */
function chain(operators: string[], operand: Parse): Parse {
  return (stream) => {
    let left = operand(stream)
    while (stream.is('operator') && operators.includes(stream.current.text)) {
      const { text, at } = stream.advance()
      const operator = text as BinaryOperator
      left = { type: 'binary', operator, left, right: operand(stream), at }
    }
    return left
  }
}

const parsePower: Parse = chain(['**'], (stream) => parseUnary(stream, true))
const parseProduct: Parse = chain(['*', '/', '//', '%'], parsePower)

function parseConcat(stream: TokenStream): Expression {
  const first = parseProduct(stream)
  const items = [first]
  while (stream.skip('operator', '~')) items.push(parseProduct(stream))
  return items.length === 1 ? first : { type: 'concat', items, at: first.at }
}

const parseSum: Parse = chain(['+', '-'], parseConcat)

function parseUnary(stream: TokenStream, withFilters: boolean): Expression {
  const { at } = stream.current
  let node: Expression
  if (stream.isOperator('-') || stream.isOperator('+')) {
    const operator = stream.advance().text as '-' | '+'
    node = { type: 'unary', operator, of: stream.nested(() => parseUnary(stream, false)), at }
  } else node = parsePrimary(stream)
  node = parsePostfix(stream, node)
  return withFilters ? parseFilters(stream, node) : node
}

export function parsePostfix(stream: TokenStream, start: Expression): Expression {
  let node = start
  for (;;) {
    if (stream.isOperator('.') || stream.isOperator('[')) node = parseSubscript(stream, node)
    else if (stream.isOperator('(')) node = parseCall(stream, node)
    else return node
  }
}

function parseCall(stream: TokenStream, of: Expression): Expression {
  const { at } = stream.current
  return { type: 'call', of, arguments: parseArguments(stream), at }
}

function parseFilters(stream: TokenStream, start: Expression): Expression {
  let node = start
  for (;;) {
    if (stream.skip('operator', '|')) node = parseFilter(stream, node)
    else if (stream.isName('is')) node = parseTest(stream, node)
    else if (stream.isOperator('(')) node = parseCall(stream, node)
    else return node
  }
}

/** One filter, the `|` being behind us. */
export function parseFilter(stream: TokenStream, of: Expression): Expression {
  const { at } = stream.current
  const name = dottedName(stream)
  const given = stream.isOperator('(') ? parseArguments(stream) : { args: [], kwargs: [] }
  return { type: 'filter', of, name, arguments: given, at }
}

function dottedName(stream: TokenStream): string {
  let name = stream.expect('name').text
  while (stream.skip('operator', '.')) name += `.${stream.expect('name').text}`
  return name
}

const NO_TEST_ARGUMENT = new Set(['else', 'or', 'and'])

function parseTest(stream: TokenStream, of: Expression): Expression {
  stream.advance()
  const isNegated = stream.skip('name', 'not')
  const { at } = stream.current
  const name = dottedName(stream)
  let given: { args: Expression[]; kwargs: [string, Expression][] } = { args: [], kwargs: [] }
  if (stream.isOperator('(')) given = parseArguments(stream)
  else if (startsArgument(stream)) {
    if (stream.isName('is')) throw stream.unexpected('one test at a time')
    given.args.push(parsePostfix(stream, parsePrimary(stream)))
  }
  const test: Expression = { type: 'test', of, name, arguments: given, at }
  return isNegated ? { type: 'not', of: test, at } : test
}

function startsArgument(stream: TokenStream): boolean {
  const { type, text } = stream.current
  if (type === 'name') return !NO_TEST_ARGUMENT.has(text)
  return type === 'string' || type === 'literal' || stream.isOperator('[') || stream.isOperator('{')
}
