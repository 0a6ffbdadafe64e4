import type { JsonObject } from '../../../../src/protocol/index.ts'
import type { MockAnswer, MockRequest, MockRoute } from '../declarative/mock-api.ts'
import { whole } from '../declarative/paging.ts'
import { type Store, withAmounts } from './store.ts'

/** Smaller than any page that is asked for, so that few rows are several pages. */
const PAGE = 2

export interface RestList {
  stream: string
  root: string
  /** The field by whose range the list is filtered, under the parameters' names for it. */
  range?: { field: string; from: string; to?: string }
  /** Parameters that have no say here. */
  others?: string[]
  /** Those of the rows that belong to the path. */
  of?(request: MockRequest, row: JsonObject): boolean
}

/**
 * https://shopify.dev/docs/api/admin-rest/usage/pagination: the next page is a link with `page_info`,
 * beside which only `limit` and `fields` may stand.
 */
export function restList(store: Store, list: RestList): MockRoute {
  const { stream, root, range, others = [], of = () => true } = list
  const bounds = range ? [range.from, ...(range.to ? [range.to] : [])] : []
  return {
    query: ['limit', 'page_info', ...bounds, ...others],
    answer(request) {
      const { query } = request
      if (whole(request, 'limit', 50) > 250) return problem(400, 'limit is too large')
      const info = query.get('page_info')
      if (info !== null && [...query.keys()].some((name) => !BESIDE.has(name))) {
        return problem(400, `page_info must not come with ${[...query.keys()]}`)
      }
      const asked = info === null ? query : new URLSearchParams(atob(info))
      const found = store
        .rows(stream)
        .filter((row) => of(request, row) && isWithin(row, list, asked))
      const from = Number(asked.get('from') ?? 0)
      const fields = asked.get('fields')?.split(',')
      const page = found.slice(from, from + PAGE).map((row) => withAmounts(stream, row))
      asked.set('from', String(from + PAGE))
      return {
        body: { [root]: fields ? page.map((row) => pick(row, fields)) : page },
        headers: from + PAGE < found.length ? { link: nextLink(request, asked) } : {},
      }
    },
  }
}

const BESIDE = new Set(['limit', 'page_info', 'fields'])

function isWithin(row: JsonObject, { range }: RestList, asked: URLSearchParams): boolean {
  if (!range) return true
  const at = Date.parse(String(row[range.field]))
  const [from, to] = [asked.get(range.from), range.to ? asked.get(range.to) : null]
  return (!from || at >= Date.parse(from)) && (!to || at <= Date.parse(to))
}

const pick = (row: JsonObject, fields: string[]): JsonObject =>
  Object.fromEntries(Object.entries(row).filter(([name]) => fields.includes(name)))

function nextLink({ url }: MockRequest, asked: URLSearchParams): string {
  const next = new URL(url.pathname, url)
  next.searchParams.set('limit', String(asked.get('limit') ?? 50))
  next.searchParams.set('page_info', btoa(asked.toString()))
  return `<${next.href}>; rel="next"`
}

export const problem = (status: number, errors: string): MockAnswer => ({
  status,
  body: { errors },
})
