import type { Value } from '../python/values.ts'

/** Arguments of a call, filter or test. */
export interface Arguments {
  args: Expression[]
  kwargs: [name: string, value: Expression][]
  /** `*list` and `**dict`. */
  spread?: Expression
  spreadKeywords?: Expression
}

export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%' | '**'
export type CompareOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in'

export interface SliceExpression {
  type: 'slice'
  start?: Expression
  stop?: Expression
  step?: Expression
  at: number
}

/** An expression; `at` is its offset in the template. */
export type Expression =
  | { type: 'constant'; value: Value; at: number }
  | { type: 'name'; name: string; at: number }
  | { type: 'list' | 'tuple'; items: Expression[]; at: number }
  | { type: 'dict'; pairs: [Expression, Expression][]; at: number }
  | { type: 'attribute'; of: Expression; name: string; at: number }
  | { type: 'item'; of: Expression; key: Expression; at: number }
  | SliceExpression
  | { type: 'call'; of: Expression; arguments: Arguments; at: number }
  | { type: 'filter'; of: Expression; name: string; arguments: Arguments; at: number }
  | { type: 'test'; of: Expression; name: string; arguments: Arguments; at: number }
  | { type: 'unary'; operator: '-' | '+'; of: Expression; at: number }
  | { type: 'not'; of: Expression; at: number }
  | { type: 'binary'; operator: BinaryOperator; left: Expression; right: Expression; at: number }
  | { type: 'and' | 'or'; left: Expression; right: Expression; at: number }
  | { type: 'concat'; items: Expression[]; at: number }
  | {
      type: 'compare'
      first: Expression
      rest: { operator: CompareOperator; right: Expression }[]
      at: number
    }
  | { type: 'condition'; test: Expression; value: Expression; otherwise?: Expression; at: number }

/** What `set` and `for` assign to: a name, names in parentheses, or an attribute of a namespace. */
export type Target =
  | { type: 'name'; name: string; at: number }
  | { type: 'tuple'; items: Target[]; at: number }
  | { type: 'namespace'; name: string; attribute: string; at: number }

export type Statement =
  | { type: 'text'; text: string; at: number }
  | { type: 'output'; value: Expression; at: number }
  | {
      type: 'if'
      branches: { test: Expression; body: Statement[] }[]
      otherwise: Statement[]
      at: number
    }
  | {
      type: 'for'
      target: Target
      of: Expression
      test?: Expression
      recursive: boolean
      body: Statement[]
      otherwise: Statement[]
      at: number
    }
  | { type: 'set'; target: Target; value: Expression; at: number }
  /** `filters` wrap the expression that stands for the block's text. */
  | { type: 'setBlock'; target: Target; body: Statement[]; filtered?: Expression; at: number }
  | { type: 'filterBlock'; body: Statement[]; filtered: Expression; at: number }
  | { type: 'with'; assignments: [Target, Expression][]; body: Statement[]; at: number }

/** The name under which a block's text is handed to its filters; no template can write it. */
export const BLOCK_TEXT = '{block}'
