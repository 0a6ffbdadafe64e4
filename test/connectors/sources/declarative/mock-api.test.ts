import { afterEach, describe, expect, it } from 'vitest'
import type { ApiDocument } from './document.ts'
import { MockApi, type MockRoutes } from './mock-api.ts'
import { linkedPages, offsetPage, pageAfter } from './paging.ts'

const ROWS = [1, 2, 3, 4, 5].map((id) => ({ id }))

const ROUTES: MockRoutes = {
  'GET /shops/{shop}/orders': {
    query: ['page', 'per_page'],
    answer: (request) => linkedPages(request, ROWS, 2),
  },
  'GET /shops/{shop}/orders/first': { answer: () => ({ body: ROWS[0] }) },
  'POST /search': { body: ['text'], answer: ({ body }) => ({ body }) },
}

const DOCUMENT: ApiDocument = {
  operation: (_method, path) =>
    path === '/shops/{shop}/orders'
      ? {
          query: new Set(['page']),
          body: new Set(),
          problems: (body) => (Array.isArray(body) && body.length > 1 ? ['too many'] : []),
        }
      : undefined,
}

let api: MockApi

async function start(document?: ApiDocument): Promise<void> {
  api = await new MockApi({
    ...{ origins: ['https://api.shop.test'], routes: ROUTES, document },
    authorize: ({ headers }) => (headers.get('authorization') ? undefined : { status: 401 }),
  }).start()
}

const get = (path: string, init: RequestInit = {}) =>
  api.http.fetch(`https://api.shop.test${path}`, {
    ...init,
    headers: { authorization: 'Bearer x', ...init.headers },
  })

afterEach(() => api.stop())

describe('the mock of a vendor', () => {
  it('serves the most exact route, over HTTP and under the name of the vendor', async () => {
    await start()
    const response = await get('/shops/a%2Fb/orders/first')
    expect(response.url).toBe('https://api.shop.test/shops/a%2Fb/orders/first')
    expect(await response.json()).toEqual({ id: 1 })
    expect(api.requests[0]?.params).toEqual({ shop: 'a/b' })
    expect(api.violations).toEqual([])
  })

  it('leads from page to page by the Link header', async () => {
    await start()
    const ids: number[] = []
    let next: string | undefined = '/shops/1/orders?per_page=100'
    while (next) {
      const response = await get(next)
      ids.push(...((await response.json()) as { id: number }[]).map(({ id }) => id))
      const link = response.headers.get('link') ?? ''
      next = /<https:\/\/api\.shop\.test([^>]+)>; rel="next"/.exec(link)?.[1]
    }
    expect(ids).toEqual([1, 2, 3, 4, 5])
    expect(api.requests).toHaveLength(3)
  })

  it('refuses what it was not told of: hosts, paths, methods, parameters, body fields', async () => {
    await start()
    await expect(api.http.fetch('https://elsewhere.test/')).rejects.toThrow('not one of')
    expect((await get('/nothing')).status).toBe(501)
    expect((await get('/search')).status).toBe(501)
    expect((await get('/shops/1/orders?sort=asc')).status).toBe(501)
    expect((await get('/search', { method: 'POST', body: '{"text":"a","x":1}' })).status).toBe(501)
    expect((await get('/shops/1/orders?page=one')).status).toBe(501)
    expect(api.violations).toHaveLength(6)
  })

  it('answers without credentials as the vendor does, and on demand with what it is told', async () => {
    await start()
    const stranger = await api.http.fetch('https://api.shop.test/shops/1/orders')
    expect(stranger.status).toBe(401)
    api.answerNext({ status: 429, headers: { 'retry-after': '3' }, body: { error: 'slow' } })
    expect((await get('/shops/1/orders')).headers.get('retry-after')).toBe('3')
    expect((await get('/shops/1/orders')).status).toBe(200)
    expect(api.violations).toEqual([])
  })

  it('finds routes, parameters and answers that the vendor does not document', async () => {
    await start(DOCUMENT)
    await get('/shops/1/orders')
    expect(api.violations.sort()).toEqual([
      "GET /shops/{shop}/orders has no parameter per_page in the vendor's document",
      "GET /shops/{shop}/orders/first is not in the vendor's document",
      'GET /shops/{shop}/orders: too many',
      "POST /search is not in the vendor's document",
    ])
  })

  it('cuts rows by offset and by the last row seen', async () => {
    await start()
    await get('/shops/1/orders')
    const [request] = api.requests
    if (!request) throw new Error('no request')
    expect(offsetPage(request, ROWS, { size: 2 })).toMatchObject({ rows: [{ id: 1 }, { id: 2 }] })
    const idOf = ({ id }: { id: number }) => String(id)
    expect(pageAfter(ROWS, '3', 2, idOf)).toEqual({ rows: [{ id: 4 }, { id: 5 }], hasMore: false })
    expect(pageAfter(ROWS, null, 2, idOf)).toMatchObject({ hasMore: true })
  })
})
