import type { JsonObject, JsonValue } from '../../../../src/protocol/index.ts'
import type { MockRoute } from '../declarative/mock-api.ts'
import { pageAfter } from '../declarative/paging.ts'
import { type Store, withAmounts } from './store.ts'

/** What a named query of the manifest asks for. */
export interface GraphqlList {
  stream: string
  connection: string
  /** The field that the search is about. */
  searched?: string
  /** The field that names the object whose part the rows are. */
  owner?: string
  /** It is not searched: all rows come. */
  whole?: true
  /** Puts the page of rows where the query has it. */
  shape?(page: JsonObject): JsonObject
  /** The row as the query's answer has it. */
  node?(row: JsonObject): JsonObject
}

const PAGE = 2

/** `POST graphql.json`, for the queries that are known by their names. */
export function graphqlRoute(store: Store, lists: Record<string, GraphqlList>): MockRoute {
  return {
    body: ['query', 'variables'],
    answer({ body }) {
      const text = String(body.query)
      const [, name = ''] = /^query (\w+)\(/.exec(text) ?? []
      const list = lists[name]
      if (!list) return { body: { errors: [{ message: `there is no query ${name}` }] } }
      const { first, after = null, search, id } = body.variables as Record<string, JsonValue>
      if (Number(first) > 250) return { body: { errors: [{ message: 'first is too large' }] } }
      const { stream, connection, owner, node = (row) => row } = list
      const found = store
        .rows(stream)
        .filter((row) => (owner ? row[owner] === id : isFound(row, list, String(search))))
      const { rows, hasMore } = pageAfter(found, after as string | null, PAGE, cursorOf)
      const nodes = rows.map((row) => node(withAmounts(stream, row)))
      const unasked = nodes.flatMap(Object.keys).find((field) => !text.includes(field))
      if (unasked) throw new Error(`${name} does not ask for ${unasked}`)
      const last = rows.at(-1)
      const page = {
        nodes,
        pageInfo: { hasNextPage: hasMore, endCursor: last ? cursorOf(last) : null },
      }
      const data = list.shape?.(page) ?? { [connection]: page }
      return { body: { data, extensions: { cost: { requestedQueryCost: 102 } } } }
    },
  }
}

const cursorOf = (row: JsonObject) => `after ${row.id ?? row.admin_graphql_api_id}`

/** https://shopify.dev/docs/api/usage/search-syntax, as far as it is used. */
function isFound(row: JsonObject, { searched = 'updated_at', whole }: GraphqlList, search: string) {
  if (whole) return true
  const [, field, from, to] = /^(\w+):>='([^']+)' AND \1:<='([^']+)'$/.exec(search) ?? []
  if (!field || !from || !to) throw new Error(`the search '${search}' is not understood`)
  const at = String(row[searched])
  return at >= from && at <= to
}
