/** A query before it runs: what it reads, whether it keeps rows, and what is refused. */
import { type ExprNode, parseSql, planSql, type Statement } from 'squirreling'
import { AirbyteError } from '../../protocol/index.ts'
import { exactly } from './exact-sum.ts'
import { conditionsByTable } from './push-down.ts'

type Node = Record<string, unknown>

/** Every object in a tree, the tree itself first. */
function* nodesOf(tree: unknown): Generator<Node> {
  if (typeof tree !== 'object' || tree === null) return
  if (!Array.isArray(tree)) yield tree as Node
  const inner = tree instanceof Map ? tree.values() : Object.values(tree)
  for (const value of inner) yield* nodesOf(value)
}

export interface ParsedQuery {
  statement: Statement
  /** The same with exact sums. */
  exact: Statement
  /** Names of tables, as the query writes them. */
  tables: string[]
  /** What each of them may leave out while it is read. */
  conditions: ReadonlyMap<string, ExprNode>
  /** It computes with numbers, other than adding up a column; the engine has doubles for that. */
  computes: boolean
}

/** @throws QUERY_INVALID */
export function parseQuery(sql: string): ParsedQuery {
  const text = sql.trim().replace(/;\s*$/, '')
  if (!/^(?:select|with|\()/i.test(text)) {
    throw invalid('Only one SELECT is taken (WITH … SELECT too); it cannot write.')
  }
  const statement = readable(() => parseSql({ query: text }))
  const nodes = [...nodesOf(statement)]
  for (const node of nodes) refuse(node)
  const ctes = new Set(nodes.flatMap(({ ctes }) => (Array.isArray(ctes) ? ctes : [])).map(nameOf))
  const named = nodes.flatMap(({ table, type, joinType }) =>
    typeof table === 'string' && (type === 'table' || joinType !== undefined) ? [table] : [],
  )
  const exact = exactly(statement)
  return {
    statement,
    exact,
    tables: [...new Set(named)].filter((name) => !ctes.has(name)),
    conditions: conditionsByTable(statement, named),
    computes: [...nodesOf(exact)].some(computes),
  }
}

const nameOf = ({ name }: Node) => name

const MOST_WILDCARDS = 3

/** Patterns can be made to run for hours; what compares texts is enough without them. */
function refuse({ type, op, funcName, right, distinct }: Node): void {
  if (type === 'function' && distinct && !/^(count|array_agg)$/i.test(String(funcName))) {
    const name = String(funcName).toUpperCase()
    throw invalid(
      `${name} takes no DISTINCT. Select the distinct values in a CTE, and take it of those.`,
    )
  }
  if (type === 'function' && /^regexp/i.test(String(funcName))) {
    throw invalid('Regular expressions are not available. Use LIKE, INSTR or SUBSTRING.')
  }
  if (op !== 'LIKE') return
  const { type: kind, value } = right as Node
  if (kind !== 'literal' || String(value).split('%').length - 1 > MOST_WILDCARDS) {
    throw invalid(`LIKE takes a text with at most ${MOST_WILDCARDS} wildcards.`)
  }
}

const computes = ({ type, op, funcName }: Node) =>
  (type === 'binary' && /^[-+*/%]$/.test(String(op))) ||
  (type === 'function' &&
    /^(sum|avg|median|stddev|percentile|approx|round|abs)/i.test(`${funcName}`))

/** What keeps rows until it has seen them all, by the name of its node in the engine's plan. */
const HOLDS = /Join|Aggregate|Sort|Distinct|Window|SetOperation/

interface TableShape {
  columns: string[]
  scan(): never
}

export interface QueryShape {
  /** The engine keeps rows that it has read. */
  holds: boolean
  /** Sums and counts of whole columns, one after the other: nothing is kept. */
  byColumn: boolean
}

/**
 * What the engine will do with the rows.
 * @throws QUERY_INVALID for columns that are not there and joins without a condition on columns
 */
export function shapeOf(statement: Statement, tables: Record<string, TableShape>): QueryShape {
  const plan = readable(() => planSql({ query: statement, tables }))
  const nodes = [...nodesOf(plan)]
  for (const { type, condition } of nodes) {
    if (type === 'PositionalJoin' || (type === 'NestedLoopJoin' && !looksAtColumns(condition))) {
      throw invalid('A join needs a condition that begins with columns, such as ON a.id = b.a_id.')
    }
  }
  const asks = nodes.some(({ type }) => HOLDS.test(String(type)))
  return { holds: asks || nodes.some(hasSubquery), byColumn: isByColumn(plan) }
}

/** Subqueries in expressions, those of IN and EXISTS too. */
export const hasSubquery = ({ subquery }: Node) => subquery !== undefined

/** The only shape in which the engine takes columns without making rows of them. */
function isByColumn(plan: unknown): boolean {
  const { type, child, columns, having } = plan as Node
  const { type: below, hints } = (child ?? {}) as { type?: string; hints?: Node }
  if (type !== 'ScalarAggregate' || below !== 'Scan' || hints?.where || having) return false
  return (columns as Node[]).every(({ expr }) => {
    const { type: kind, args, filter, distinct, funcName } = (expr ?? {}) as Node
    const plain = (args as Node[] | undefined)?.every(({ type: of }) => of === 'identifier')
    const keepsNothing = /^(count|sum|avg|min|max)$/i.test(String(funcName)) && !distinct
    return kind === 'function' && plain && keepsNothing && !filter
  })
}

/** What is evaluated first for each pair of rows costs a step. */
function looksAtColumns(condition: unknown): boolean {
  const { type, left } = (condition ?? {}) as Node
  if (type === 'identifier') return true
  return left !== undefined && looksAtColumns(left)
}

/** The engine's errors as ours: all of them are about the text of the query. */
export function readable<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof AirbyteError ? error : fromEngine(error)
  }
}

export function fromEngine(error: unknown): AirbyteError {
  const { name, message } = error as Error
  const hint =
    name === 'UnexpectedDotError'
      ? 'Write a table of a namespace in double quotes: "public.orders".'
      : undefined
  return new AirbyteError('QUERY_INVALID', `${message.replace(/\.$/, '')}.`, {
    ...(hint && { hint }),
    field: 'sql',
  })
}

const invalid = (message: string) => new AirbyteError('QUERY_INVALID', message, { field: 'sql' })
