import type { MockAnswer, MockRequest } from './mock-api.ts'

/**
 * Pages that the `Link` header leads to (RFC 8288), by `page` and `per_page`. `cap` makes them
 * smaller than asked for, as servers may, so that few rows are several pages.
 */
export function linkedPages(request: MockRequest, rows: unknown[], cap: number): MockAnswer {
  const page = whole(request, 'page', 1)
  const size = Math.min(cap, whole(request, 'per_page', 30))
  const last = Math.max(1, Math.ceil(rows.length / size))
  const link = (to: number, rel: string) => {
    const url = new URL(request.url)
    url.searchParams.set('page', String(to))
    return `<${url.href}>; rel="${rel}"`
  }
  const links = [
    ...(page > 1 ? [link(page - 1, 'prev'), link(1, 'first')] : []),
    ...(page < last ? [link(page + 1, 'next'), link(last, 'last')] : []),
  ]
  return {
    body: rows.slice((page - 1) * size, page * size),
    headers: links.length > 0 ? { link: links.join(', ') } : {},
  }
}

/** A slice of the rows by `limit` and `offset`. */
export function offsetPage<Row>(
  request: MockRequest,
  rows: Row[],
  { limit = 'limit', offset = 'offset', size = 20, cap = Number.POSITIVE_INFINITY } = {},
): { rows: Row[]; next: URL | null } {
  const from = whole(request, offset, 0)
  const to = from + Math.min(cap, whole(request, limit, size))
  const next = new URL(request.url)
  next.searchParams.set(offset, String(to))
  return { rows: rows.slice(from, to), next: to < rows.length ? next : null }
}

/** The rows after the one that `after` names, and whether there are more. */
export function pageAfter<Row>(
  rows: Row[],
  after: string | null,
  size: number,
  idOf: (row: Row) => string,
): { rows: Row[]; hasMore: boolean } {
  const from = after === null ? 0 : rows.findIndex((row) => idOf(row) === after) + 1
  return { rows: rows.slice(from, from + size), hasMore: from + size < rows.length }
}

/** A parameter that is a whole number. */
export function whole({ query }: MockRequest, name: string, byDefault: number): number {
  const text = query.get(name)
  if (text === null) return byDefault
  if (!/^\d+$/.test(text)) throw new Error(`${name}=${text} is not a whole number`)
  return Number(text)
}
