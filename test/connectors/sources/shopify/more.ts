import type { JsonObject } from '../../../../src/protocol/index.ts'
import { addSearched } from './catalog.ts'
import { addRoute, ROWS, type Shelf, times } from './shelf.ts'
import { shopTime } from './store.ts'

/** What GraphQL alone tells of orders. */
export function addMoreOfOrders(shelf: Shelf): void {
  addSearched(shelf, 'order_risks', 'OrderRisks', 'orders', gid)
  addSearched(shelf, 'customer_journey_summary', 'CustomerJourneys', 'orders', (n) => ({
    ...{ order_id: 8000 + n, ...gid(n) },
  }))
  const stream = 'order_agreements'
  const add = ({ id = null, updated_at }: JsonObject) => {
    const happened = new Date(String(updated_at)).toISOString().slice(0, 19)
    const known = { owner: `gid://shopify/Order/${id}`, happened_at: `${happened}Z` }
    const agreement = `gid://shopify/SalesAgreement/${shelf.store.rows(stream).length}`
    shelf.store.add(stream, { ...known, id: agreement }, ['order_id'])
  }
  const [first, ...others] = shelf.store.rows('orders')
  if (first) times(ROWS, () => add(first))
  for (const order of others) add(order)
  shelf.queries.OrderAgreements = {
    ...{ stream, connection: 'part', owner: 'owner' },
    shape: (page) => ({ node: { part: page } }),
    node: ({ owner: _, ...row }) => row,
  }
  shelf.streams[stream] = {
    rows: () => shelf.store.rows(stream).length,
    incremental: {
      again: true,
      grow() {
        const updated_at = shopTime(shelf.store.tick())
        const order = shelf.store.add('orders', { updated_at, refunds: [], fulfillments: [] })
        times(3, () => add(order))
      },
    },
  }
}

const gid = (n: number) => ({ admin_graphql_api_id: `gid://shopify/Order/${n}` })

export function addMoreOfShop(shelf: Shelf): void {
  addSearched(shelf, 'collections', 'Collections', 'collections', (n) => ({
    admin_graphql_api_id: `gid://shopify/Collection/${n}`,
  }))
  const ofCollections = shelf.store.rows('metafield_collections')
  ofCollections.push(...shelf.store.rows('metafield_smart_collections'))
  for (const [stream, owners, path] of [
    ['metafield_collections', 'custom_collections', 'collections'],
    ['metafield_locations', 'locations', 'locations'],
  ] as const) {
    const add = (owner_id: JsonObject[string] = null) => shelf.store.add(stream, { owner_id })
    const [first, ...others] = shelf.store.rows(owners)
    times(ROWS, () => add(first?.id))
    for (const { id } of others) add(id)
    addRoute(shelf, `${path}/{owner}/metafields.json`, {
      ...{ stream, root: 'metafields' },
      of: ({ params }, row) => String(row.owner_id) === params.owner,
    })
    shelf.streams[stream] = { rows: () => shelf.store.rows(stream).length }
  }
  const stream = 'profile_location_groups'
  times(ROWS, () => {
    const n = shelf.store.tick()
    const profile_id = `gid://shopify/DeliveryProfile/${n}`
    shelf.store.add(stream, { id: `gid://shopify/DeliveryLocationGroup/${n}`, profile_id })
  })
  shelf.queries.DeliveryProfiles = {
    ...{ stream, connection: 'deliveryProfiles', whole: true },
    node: ({ id = null, locations = null, profile_id = null, profile_name = null }) => ({
      ...{ id: profile_id, name: profile_name },
      groups: [{ location_group: { id, locations: { nodes: locations } } }],
    }),
  }
  shelf.streams[stream] = { rows: () => shelf.store.rows(stream).length }
}
