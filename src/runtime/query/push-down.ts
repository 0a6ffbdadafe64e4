/** Conditions that a join's tables can apply while they are read: the engine filters what is joined. */
import type { ExprNode, SelectStatement, Statement } from 'squirreling'

/**
 * What of WHERE speaks of one table alone, by the name of that table. Only where every row that it
 * leaves out would be left out anyway: of inner joins all tables, beside a left join the first one;
 * and only for a table that the query names once. The engine checks the whole condition again.
 */
export function conditionsByTable(
  statement: Statement,
  named: readonly string[],
): ReadonlyMap<string, ExprNode> {
  const select = statement.type === 'with' ? statement.query : statement
  if (select.type !== 'select' || !select.where || select.joins.length === 0) return new Map()
  const found = new Map<string, ExprNode>()
  for (const { table, alias } of filterable(select)) {
    if (named.filter((name) => name === table).length !== 1) continue
    const parts = conjuncts(select.where).filter((part) => speaksOnlyOf(part, alias))
    const [first, ...rest] = parts
    if (!first) continue
    const and = (left: ExprNode, right: ExprNode) =>
      ({ ...left, type: 'binary', op: 'AND', left, right }) as ExprNode
    found.set(table, rest.reduce(and, first))
  }
  return found
}

function filterable({ from, joins }: SelectStatement): { table: string; alias: string }[] {
  if (from.type !== 'table') return []
  const first = { table: from.table, alias: from.alias ?? from.table }
  const types = joins.map(({ joinType }) => joinType)
  if (types.every((type) => type === 'INNER')) {
    return [first, ...joins.map(({ table, alias }) => ({ table, alias: alias ?? table }))]
  }
  return types.every((type) => type === 'INNER' || type === 'LEFT') ? [first] : []
}

const conjuncts = (node: ExprNode): ExprNode[] =>
  node.type === 'binary' && node.op === 'AND'
    ? [...conjuncts(node.left), ...conjuncts(node.right)]
    : [node]

/** Every column in it bears the table's name in the query, and nothing in it looks elsewhere. */
function speaksOnlyOf(node: unknown, alias: string): boolean {
  if (typeof node !== 'object' || node === null) return true
  const { type, prefix, subquery } = node as Record<string, unknown>
  if (type === 'identifier') return prefix === alias
  return subquery === undefined && Object.values(node).every((inner) => speaksOnlyOf(inner, alias))
}
