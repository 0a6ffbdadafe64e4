import type { Expression } from './ast.ts'
import { parseExpression, parseOr } from './parse-expression.ts'
import type { TokenStream } from './token-stream.ts'

interface TupleOptions {
  inParentheses?: boolean
  /** False where a following `if` belongs to the statement. */
  withCondition?: boolean
  /** A name that ends the tuple, such as `recursive`. */
  endName?: string
}

/** One expression, or several with commas between: a tuple. */
export function parseTuple(stream: TokenStream, options: TupleOptions = {}): Expression {
  const { at } = stream.current
  const parse = options.withCondition === false ? parseOr : parseExpression
  const items: Expression[] = []
  let isTuple = false
  while (!isEnd(stream, options.endName)) {
    items.push(stream.nested(() => parse(stream)))
    if (!stream.skip('operator', ',')) break
    isTuple = true
  }
  if (!isTuple && items[0]) return items[0]
  if (!isTuple && !options.inParentheses) throw stream.unexpected('an expression')
  return { type: 'tuple', items, at }
}

function isEnd(stream: TokenStream, endName?: string): boolean {
  if (stream.is('variable_end') || stream.is('block_end') || stream.isOperator(')')) return true
  return endName !== undefined && stream.isName(endName)
}
