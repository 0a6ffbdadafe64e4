import { createHash } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { childrenOf, shopManifest } from '../../support/shop-manifest.ts'
import type { Contents } from './events.ts'

const ORDERS_A_PAGE = 2

export interface Order {
  id: number
  customer: number
  updated_at: string
  note: string
}

export interface ShopRequest {
  at: number
  path: string
  customer: number
  page: number
  since: string | null
}

/** A shop with orders by customer, which are found by the time of their last change. */
export interface ShopServer {
  url: string
  /** Requests for orders and for jobs. */
  requests: ShopRequest[]
  orders: Order[]
  /** What is said instead of orders, where it is. */
  refuse?: (request: ShopRequest) => number | undefined
  /** How long an export takes. */
  jobMs: number
  /** How long each answer takes. */
  answerMs: number
  stop(): void
}

const dayOf = (day: number) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 19)

export const orderOf = (customer: number, number: number): Order => ({
  id: customer * 1000 + number,
  customer,
  updated_at: `${dayOf(number)}Z`,
  note: createHash('md5').update(`${customer} ${number}`).digest('hex'),
})

export async function startShop(
  customers: number,
  ordersOf: (customer: number) => number,
  customersAPage = 2,
): Promise<ShopServer> {
  const shop: ShopServer = {
    url: '',
    requests: [],
    orders: [],
    jobMs: 0,
    answerMs: 0,
    stop: () => {},
  }
  for (let customer = 1; customer <= customers; customer++) {
    for (let number = 1; number <= ordersOf(customer); number++) {
      shop.orders.push(orderOf(customer, number))
    }
  }
  const jobs: number[] = []
  const server = createServer(async (request, response) => {
    if (shop.answerMs > 0) await sleep(shop.answerMs)
    const url = new URL(request.url ?? '', 'http://shop')
    const page = Number(url.searchParams.get('page'))
    if (url.pathname === '/customers') {
      const first = page * customersAPage
      const ids = Array.from({ length: customersAPage }, (_, i) => first + i + 1)
      return answer(
        response,
        ids.filter((id) => id <= customers).map((id) => ({ id })),
      )
    }
    const customer = Number(url.searchParams.get('parent'))
    const since = url.searchParams.get('since')
    const asked = { at: Date.now(), path: url.pathname, customer, page, since }
    shop.requests.push(asked)
    if (url.pathname === '/orders') {
      const seconds = shop.refuse?.(asked)
      if (seconds !== undefined) {
        return response.writeHead(429, { 'retry-after': String(seconds) }).end()
      }
      const found = shop.orders.filter(
        (order) => order.customer === customer && (!since || order.updated_at >= since),
      )
      return answer(response, found.slice(page * ORDERS_A_PAGE, (page + 1) * ORDERS_A_PAGE))
    }
    if (request.method === 'POST') return answer(response, { id: jobs.push(Date.now()) - 1 })
    const job = jobs[Number(url.pathname.split('/')[2])] ?? 0
    if (url.pathname.endsWith('/rows')) return answer(response, shop.orders)
    const done = Date.now() >= job + shop.jobMs
    return answer(response, {
      status: done ? 'done' : 'running',
      urls: [`${shop.url}${url.pathname}/rows`],
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  shop.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  shop.stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return shop
}

const answer = (response: ServerResponse, body: unknown) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))

const SCHEMA = {
  type: 'InlineSchemaLoader',
  schema: {
    type: 'object',
    properties: {
      ...{ id: { type: 'integer' }, customer: { type: 'integer' } },
      ...{ updated_at: { type: 'string', format: 'date-time' }, note: { type: 'string' } },
    },
  },
}

const pages = (size: number) => ({
  paginator: {
    type: 'DefaultPaginator',
    page_token_option: {
      ...{ type: 'RequestOption', inject_into: 'request_parameter', field_name: 'page' },
    },
    pagination_strategy: { type: 'PageIncrement', page_size: size, inject_on_first_request: true },
  },
})

/** Orders of each customer, by the time of their change. */
export const ordersManifest = (customersAPage = 2) =>
  JSON.stringify(
    shopManifest([
      {
        name: 'orders',
        retriever: {
          partition_router: childrenOf({ name: 'customers', retriever: pages(customersAPage) }),
        },
        stream: {
          schema_loader: SCHEMA,
          incremental_sync: {
            ...{ type: 'DatetimeBasedCursor', cursor_field: 'updated_at' },
            ...{ datetime_format: '%Y-%m-%dT%H:%M:%SZ', start_datetime: '2026-01-01T00:00:00Z' },
            start_time_option: {
              ...{ type: 'RequestOption', inject_into: 'request_parameter', field_name: 'since' },
            },
          },
        },
      },
    ]),
  )

/** All orders by one export, which takes `jobMs`. */
export const exportManifest = () => {
  const requester = (path: string, http_method = 'GET') => ({
    ...{ type: 'HttpRequester', url_base: "{{ config['url'] }}", path, http_method },
  })
  return JSON.stringify(
    shopManifest([
      {
        name: 'orders',
        stream: {
          schema_loader: SCHEMA,
          retriever: {
            type: 'AsyncRetriever',
            status_mapping: {
              ...{ type: 'AsyncJobStatusMap', running: ['running'], completed: ['done'] },
              ...{ failed: ['failed'], timeout: ['timeout'] },
            },
            status_extractor: { type: 'DpathExtractor', field_path: ['status'] },
            download_target_extractor: { type: 'DpathExtractor', field_path: ['urls'] },
            creation_requester: requester('jobs', 'POST'),
            polling_requester: requester("jobs/{{ creation_response['id'] }}"),
            download_requester: {
              ...{ type: 'HttpRequester', url_base: '{{ download_target }}', http_method: 'GET' },
            },
            record_selector: {
              type: 'RecordSelector',
              extractor: { type: 'DpathExtractor', field_path: [] },
            },
          },
        },
      },
    ]),
  )
}

/** What the shop's orders are, asked as the destinations are. */
export function contentsOfShop({ orders }: ShopServer): Contents {
  const sorted = [...orders].sort((a, b) => a.id - b.id)
  const text = sorted.map(({ id, customer, note }) => `${id}|${customer}|${note}`).join(',')
  return { rows: orders.length, md5: createHash('md5').update(text).digest('hex') }
}

export const questionOfOrders = (from: string) =>
  `SELECT count(*) AS rows, md5(string_agg(concat_ws('|', id, customer, note), ',' ORDER BY id)) AS md5
   FROM ${from}`
