import type { MockedApi, MockedConnector } from '../declarative/suite.ts'
import { addCatalog, addDiscounts } from './catalog.ts'
import { addLocationsAndBlogs, addMetafields, addPayments, addWhole } from './content.ts'
import { graphqlRoute } from './graphql.ts'
import { addMoreOfOrders, addMoreOfShop } from './more.ts'
import { addAddresses, addOrders, addPartsOfOrders } from './orders.ts'
import { problem } from './rest.ts'
import { API, addUpdated, type Shelf, UPDATED } from './shelf.ts'
import { Store } from './store.ts'

const TOKEN = 'shpat_synthetic'
const ORIGIN = 'https://synthetic.myshopify.com'

export const config = {
  shop: 'synthetic',
  credentials: { auth_method: 'api_password', api_password: TOKEN },
  start_date: '2026-01-01',
}

/** Shopify with a synthetic shop, each object of which fills every field of its schema. */
export const shopify: MockedConnector = {
  ...{ name: 'shopify', config, origins: [ORIGIN] },
  badConfigs: [
    {
      title: 'wrong token',
      config: { ...config, credentials: { ...config.credentials, api_password: 'shpat_wrong' } },
      codes: ['AUTH_FAILED', 'SOURCE_MISCONFIGURED'],
    },
  ],
  open(): MockedApi {
    const { routes, streams } = openShop()
    return {
      ...{ routes, streams },
      authorize: ({ headers, route }) =>
        route.endsWith('/oauth/access_token') || headers.get('x-shopify-access-token') === TOKEN
          ? undefined
          : problem(401, '[API] Invalid API key or access token'),
      rateLimits: [
        {
          answer: {
            ...problem(429, 'Exceeded 2 calls per second'),
            headers: { 'retry-after': '2.0' },
          },
          seconds: 2,
        },
        { answer: problem(503, 'Service Unavailable'), seconds: 1 },
      ],
    }
  },
}

function openShop(): Shelf {
  const shelf: Shelf = { store: new Store(), routes: {}, streams: {}, queries: {} }

  addOrders(shelf)
  for (const stream of [
    'draft_orders',
    'customers',
    'custom_collections',
    'smart_collections',
    'pages',
  ]) {
    addUpdated(
      shelf,
      stream,
      { stream, root: stream, range: UPDATED, others: stream === 'customers' ? ['fields'] : [] },
      `${stream}.json`,
    )
  }
  addUpdated(
    shelf,
    'abandoned_checkouts',
    { stream: 'abandoned_checkouts', root: 'checkouts', range: UPDATED, others: ['status'] },
    'checkouts.json',
  )
  addPartsOfOrders(shelf)
  addAddresses(shelf)
  addWhole(shelf)
  addPayments(shelf)
  addLocationsAndBlogs(shelf)
  addMetafields(shelf)
  addCatalog(shelf)
  addDiscounts(shelf)
  addMoreOfOrders(shelf)
  addMoreOfShop(shelf)
  shelf.routes[`POST ${API}/graphql.json`] = graphqlRoute(shelf.store, shelf.queries)
  shelf.routes['POST /admin/oauth/access_token'] = {
    body: ['grant_type', 'client_id', 'client_secret'],
    answer: ({ body }) =>
      body.grant_type === 'client_credentials' && body.client_secret === 'right'
        ? { body: { access_token: TOKEN, scope: 'read_orders', expires_in: 86_399 } }
        : problem(400, 'invalid_client'),
  }
  return shelf
}
