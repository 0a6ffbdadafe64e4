import { BLOCK_TEXT, type Expression, type Statement, type Target } from './ast.ts'
import { tokenize } from './lexer.ts'
import { parseExpression, parseFilter } from './parse-expression.ts'
import { parseTuple } from './parse-tuple.ts'
import { TemplateSyntaxError } from './syntax-error.ts'
import { TokenStream } from './token-stream.ts'

/** @throws TemplateSyntaxError */
export function parseTemplate(source: string): Statement[] {
  const stream = new TokenStream(tokenize(source))
  return parseUntil(stream, [])
}

/** Statements up to a tag of one of the names, which stays the current token. */
function parseUntil(stream: TokenStream, endTags: string[]): Statement[] {
  const body: Statement[] = []
  for (;;) {
    const { type, text, at } = stream.current
    if (type === 'end') {
      if (endTags.length > 0)
        throw new TemplateSyntaxError(`the template ends without {% ${endTags.at(-1)} %}`, at)
      return body
    }
    stream.advance()
    if (type === 'data') body.push({ type: 'text', text, at })
    else if (type === 'variable_begin') {
      body.push({ type: 'output', value: parseTuple(stream), at })
      stream.expect('variable_end')
    } else {
      if (stream.is('name') && endTags.includes(stream.current.text)) return body
      body.push(stream.nested(() => parseStatement(stream)))
      stream.expect('block_end')
    }
  }
}

function parseStatement(stream: TokenStream): Statement {
  const { text, at } = stream.expect('name')
  const parse = Object.hasOwn(STATEMENTS, text) ? STATEMENTS[text] : undefined
  if (!parse) throw new TemplateSyntaxError(`the tag '${text}' is not part of the language`, at)
  return parse(stream, at)
}

const STATEMENTS: Record<string, (stream: TokenStream, at: number) => Statement> = {
  if: parseIf,
  for: parseFor,
  set: parseSet,
  with: parseWith,
  filter: parseFilterBlock,
}

/** The body of a statement, up to and with one of the end tags, whose name is given back. */
function parseBody(stream: TokenStream, endTags: string[]): { body: Statement[]; end: string } {
  stream.skip('operator', ':')
  stream.expect('block_end')
  const body = parseUntil(stream, endTags)
  return { body, end: stream.expect('name').text }
}

function parseIf(stream: TokenStream, at: number): Statement {
  const branches: { test: Expression; body: Statement[] }[] = []
  for (;;) {
    const test = parseTuple(stream, { withCondition: false })
    const { body, end } = parseBody(stream, ['elif', 'else', 'endif'])
    branches.push({ test, body })
    if (end === 'elif') continue
    const otherwise = end === 'else' ? parseBody(stream, ['endif']).body : []
    return { type: 'if', branches, otherwise, at }
  }
}

function parseFor(stream: TokenStream, at: number): Statement {
  const target = parseTarget(stream)
  stream.expect('name', 'in')
  const of = parseTuple(stream, { withCondition: false, endName: 'recursive' })
  const test = stream.skip('name', 'if') ? parseExpression(stream) : undefined
  const recursive = stream.skip('name', 'recursive')
  const { body, end } = parseBody(stream, ['endfor', 'else'])
  const otherwise = end === 'else' ? parseBody(stream, ['endfor']).body : []
  return { type: 'for', target, of, test, recursive, body, otherwise, at }
}

function parseSet(stream: TokenStream, at: number): Statement {
  const target = parseTarget(stream, true)
  if (stream.skip('operator', '=')) return { type: 'set', target, value: parseTuple(stream), at }
  const filtered = stream.isOperator('|') ? parseBlockFilters(stream) : undefined
  return { type: 'setBlock', target, filtered, body: parseBody(stream, ['endset']).body, at }
}

function parseBlockFilters(stream: TokenStream): Expression {
  let node: Expression = { type: 'name', name: BLOCK_TEXT, at: stream.current.at }
  while (stream.skip('operator', '|')) node = parseFilter(stream, node)
  return node
}

function parseFilterBlock(stream: TokenStream, at: number): Statement {
  let filtered = parseFilter(stream, { type: 'name', name: BLOCK_TEXT, at })
  while (stream.skip('operator', '|')) filtered = parseFilter(stream, filtered)
  return { type: 'filterBlock', filtered, body: parseBody(stream, ['endfilter']).body, at }
}

function parseWith(stream: TokenStream, at: number): Statement {
  const assignments: [Target, Expression][] = []
  while (!stream.is('block_end')) {
    if (assignments.length > 0) stream.expect('operator', ',')
    const target = parseOneTarget(stream, false)
    stream.expect('operator', '=')
    assignments.push([target, parseExpression(stream)])
  }
  return { type: 'with', assignments, body: parseBody(stream, ['endwith']).body, at }
}

/** `a`, `a, b`, `(a, b)`; with `withNamespace` also `ns.a`. */
function parseTarget(stream: TokenStream, withNamespace = false): Target {
  const { at } = stream.current
  const first = parseOneTarget(stream, withNamespace)
  if (!stream.isOperator(',')) return first
  const items = [first]
  while (stream.skip('operator', ',')) {
    if (!stream.is('name') && !stream.isOperator('(')) break
    if (stream.isName('in')) break
    items.push(parseOneTarget(stream, withNamespace))
  }
  return { type: 'tuple', items, at }
}

const RESERVED = new Set(['true', 'false', 'none', 'True', 'False', 'None'])

function parseOneTarget(stream: TokenStream, withNamespace: boolean): Target {
  if (stream.skip('operator', '(')) {
    const inner = stream.nested(() => parseTarget(stream, withNamespace))
    stream.expect('operator', ')')
    return inner
  }
  const { text, at } = stream.expect('name')
  if (RESERVED.has(text)) throw new TemplateSyntaxError(`'${text}' cannot be assigned to`, at)
  if (withNamespace && stream.skip('operator', '.'))
    return { type: 'namespace', name: text, attribute: stream.expect('name').text, at }
  return { type: 'name', name: text, at }
}
