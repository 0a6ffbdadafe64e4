import type { JsonObject } from '../../../../src/protocol/index.ts'
import type { MockRoutes } from '../declarative/mock-api.ts'
import { problem } from './rest.ts'
import { API, addRoute, addUpdated, ROWS, type Shelf, times, UPDATED } from './shelf.ts'
import { shopTime } from './store.ts'

export function addOrders(shelf: Shelf): void {
  const known = () => ({ refunds: [], fulfillments: [] })
  const list = { stream: 'orders', root: 'orders', range: UPDATED, others: ['status', 'fields'] }
  addUpdated(shelf, 'orders', list, 'orders.json', known)
  const { answer, ...route } = shelf.routes[`GET ${API}/orders.json`] as MockRoutes[string]
  shelf.routes[`GET ${API}/orders.json`] = {
    ...route,
    answer: (request) =>
      request.query.has('page_info') || request.query.get('status') === 'any'
        ? answer(request)
        : problem(400, 'only open orders'),
  }
}

export function addPartsOfOrders(shelf: Shelf): void {
  const newOrder = () =>
    shelf.store.add('orders', {
      ...{ updated_at: shopTime(shelf.store.tick()), refunds: [], fulfillments: [] },
    })
  for (const [stream, moment, inside] of [
    ['order_refunds', 'created_at', 'refunds'],
    ['fulfillments', 'updated_at', 'fulfillments'],
    ['transactions', 'created_at', undefined],
    ['fulfillment_orders', 'updated_at', undefined],
  ] as const) {
    const add = (order: JsonObject) => {
      const row = shelf.store.add(stream, {
        ...{ order_id: order.id ?? null, [moment]: order.updated_at ?? null },
      })
      if (inside) (order[inside] as JsonObject[]).push(row)
      return row
    }
    for (const order of shelf.store.rows('orders').slice(0, ROWS)) add(order)
    if (!inside) {
      addRoute(shelf, `orders/{order}/${stream}.json`, {
        ...{ stream, root: stream },
        of: ({ params }, row) => String(row.order_id) === params.order,
      })
    }
    const rows = shelf.store.rows(stream)
    const touch = () => {
      const [order] = shelf.store.rows('orders')
      const now = shopTime(shelf.store.tick())
      Object.assign(order ?? {}, { updated_at: now })
      Object.assign(rows.find((row) => row.order_id === order?.id) ?? {}, { updated_at: now })
    }
    shelf.streams[stream] = {
      rows: () => rows.length,
      incremental: {
        ...(inside ? { sends: 'updated_at_min' } : {}),
        again: true,
        grow() {
          const order = newOrder()
          times(3, () => add(order))
        },
        ...(moment === 'updated_at' ? { touch } : {}),
      },
    }
  }
}

export function addAddresses(shelf: Shelf): void {
  const stream = 'customer_address'
  const add = (customer: JsonObject, count: number) =>
    times(count, () =>
      shelf.store.add(
        stream,
        {
          owner: customer.admin_graphql_api_id ?? null,
          admin_graphql_api_id: `gid://shopify/MailingAddress/${shelf.store.tick()}?model_name=CustomerAddress`,
        },
        ['id', 'customer_id', 'customer_updated_at'],
      ),
    )
  const newCustomer = () => {
    const hour = shelf.store.tick()
    return shelf.store.add('customers', {
      ...{ updated_at: shopTime(hour), admin_graphql_api_id: `gid://shopify/Customer/${hour}` },
    })
  }
  const customers = shelf.store.rows('customers')
  for (const [n, customer] of customers.entries()) {
    Object.assign(customer, { admin_graphql_api_id: `gid://shopify/Customer/${9000 + n}` })
    add(customer, 1)
  }
  shelf.queries.CustomerAddresses = {
    ...{ stream, connection: 'part', owner: 'owner' },
    shape: (page) => ({ node: { part: page } }),
    node: ({ owner: _, ...row }) => row,
  }
  const rows = shelf.store.rows(stream)
  shelf.streams[stream] = {
    rows: () => rows.length,
    incremental: {
      again: true,
      grow: () => add(newCustomer(), 3),
      touch: () => Object.assign(customers[0] ?? {}, { updated_at: shopTime(shelf.store.tick()) }),
    },
  }
}
