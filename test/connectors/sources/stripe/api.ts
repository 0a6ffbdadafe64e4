import type { JsonObject } from '../../../../src/protocol/index.ts'
import type { MockAnswer, MockRequest, MockRoute } from '../declarative/mock-api.ts'
import { pageAfter, whole } from '../declarative/paging.ts'

/** Smaller than any page that is asked for, so that few rows are several pages. */
const PAGE = 2

export interface Listing {
  /** Parameters besides those of every list; each names a field that the rows have. */
  filters?: string[]
  /** Whether the list takes a range of `created`. */
  ranged?: boolean
  rows(request: MockRequest): JsonObject[]
}

/** A list as https://docs.stripe.com/api/pagination has it: newest first, `starting_after` an id. */
export function listing({ filters = [], ranged = false, rows }: Listing): MockRoute {
  const range = ranged ? ['created[gte]', 'created[lte]'] : []
  return {
    query: ['limit', 'starting_after', ...range, ...filters],
    answer(request) {
      const { query } = request
      if (whole(request, 'limit', 10) > 100) return problem(400, 'limit must be 100 at most')
      const [from, to] = range.map((name) => query.get(name))
      const found = rows(request).filter(
        (row) =>
          (!from || createdAt(row) >= Number(from)) &&
          (!to || createdAt(row) <= Number(to)) &&
          filters.every((name) => matches(row, name, query)),
      )
      const newestFirst = found.toReversed()
      const page = pageAfter(newestFirst, query.get('starting_after'), PAGE, (row) => `${row.id}`)
      return {
        body: {
          object: 'list',
          url: request.url.pathname,
          has_more: page.hasMore,
          data: page.rows,
        },
      }
    },
  }
}

const createdAt = ({ created, date }: JsonObject) => Number(created ?? date)

function matches(row: JsonObject, name: string, query: URLSearchParams): boolean {
  const [, field] = /^(\w+)s\[\]$/.exec(name) ?? []
  if (field) return !query.has(name) || query.getAll(name).includes(String(row[field]))
  const wanted = query.get(name)
  return wanted === null || wanted === 'all' || row[name] === wanted
}

/** https://docs.stripe.com/api/errors */
export const problem = (status: number, message: string): MockAnswer => ({
  status,
  body: { error: { type: 'invalid_request_error', message } },
})
