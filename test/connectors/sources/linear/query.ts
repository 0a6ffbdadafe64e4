/** The fields that a GraphQL selection asks for, with those inside of them. */
export type Selection = Map<string, Selection>

export interface ParsedQuery {
  /** The connection asked for, aliased to `page`. */
  connection: string
  /** Argument names with their texts: `first` → `$first`. */
  args: Record<string, string>
  /** Variables that the query declares, with their types. */
  variables: Record<string, string>
  nodes: Selection
}

/**
 * Reads the queries of the manifest: one connection as `page`, its `nodes` and `pageInfo`. Not all of
 * GraphQL: what it does not know, it refuses.
 *
 * @see https://spec.graphql.org/October2021/#sec-Language
 */
export function parseQuery(text: string): ParsedQuery {
  const tokens = text.match(/\$?\w+!?|[{}():,]/g) ?? []
  let at = 0
  const take = (expected?: string): string => {
    const token = tokens[at++]
    if (token === undefined || (expected !== undefined && token !== expected)) {
      throw new Error(`the query has '${token}' where '${expected ?? 'something'}' is expected`)
    }
    return token
  }
  const pairs = (): Record<string, string> => {
    const found: Record<string, string> = {}
    take('(')
    while (tokens[at] !== ')') {
      const name = take()
      take(':')
      found[name] = take()
      if (tokens[at] === ',') at++
    }
    take(')')
    return found
  }
  const selection = (): Selection => {
    const fields: Selection = new Map()
    take('{')
    while (tokens[at] !== '}') {
      const name = take()
      if (fields.has(name)) throw new Error(`the query asks for ${name} twice`)
      fields.set(name, tokens[at] === '{' ? selection() : new Map())
    }
    take('}')
    return fields
  }
  take('query')
  const variables = pairs()
  take('{')
  take('page')
  take(':')
  const connection = take()
  const args = pairs()
  const page = selection()
  take('}')
  if (at < tokens.length) throw new Error('the query goes on after its end')
  const info = [...(page.get('pageInfo') ?? new Map()).keys()].join()
  if (info !== 'hasNextPage,endCursor') throw new Error(`pageInfo has ${info}`)
  return { connection, args, variables, nodes: page.get('nodes') ?? new Map() }
}

/** What of a row a selection asks for. @throws for a field that the row does not have */
export function pick(row: Record<string, unknown>, wanted: Selection): Record<string, unknown> {
  return Object.fromEntries(
    [...wanted].map(([name, inner]) => {
      if (!Object.hasOwn(row, name)) throw new Error(`there is no field ${name}`)
      const value = row[name]
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
      if (inner.size > 0 && !isObject) throw new Error(`${name} has no fields`)
      return [name, inner.size > 0 ? pick(value as Record<string, unknown>, inner) : value]
    }),
  )
}
