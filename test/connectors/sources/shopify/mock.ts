import type { JsonObject } from '../../../../src/protocol/index.ts'
import type { MockRoutes } from '../declarative/mock-api.ts'
import type { MockedApi, MockedConnector, MockedStream } from '../declarative/suite.ts'
import { type GraphqlList, graphqlRoute } from './graphql.ts'
import { problem, type RestList, restList } from './rest.ts'
import { Store, shopTime, utcTime } from './store.ts'

export const TOKEN = 'shpat_synthetic'
const ORIGIN = 'https://synthetic.myshopify.com'
const API = '/admin/api/2026-07'
const ROWS = 3

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
    const { routes, streams } = new Shop().build()
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

const UPDATED = { field: 'updated_at', from: 'updated_at_min', to: 'updated_at_max' }
const METAFIELD_OWNERS = {
  ...{ articles: 'articles', blogs: 'blogs', customers: 'customers' },
  ...{ draft_orders: 'draft_orders', orders: 'orders', pages: 'pages' },
  smart_collections: 'collections',
}

class Shop {
  readonly #store = new Store()
  readonly #routes: MockRoutes = {}
  readonly #streams: Record<string, MockedStream> = {}
  readonly #queries: Record<string, GraphqlList> = {}

  build() {
    this.#orders()
    for (const stream of [
      'draft_orders',
      'customers',
      'custom_collections',
      'smart_collections',
      'pages',
    ]) {
      this.#updated(
        stream,
        { stream, root: stream, range: UPDATED, others: stream === 'customers' ? ['fields'] : [] },
        `${stream}.json`,
      )
    }
    this.#updated(
      'abandoned_checkouts',
      { stream: 'abandoned_checkouts', root: 'checkouts', range: UPDATED, others: ['status'] },
      'checkouts.json',
    )
    this.#partsOfOrders()
    this.#addresses()
    this.#whole()
    this.#payments()
    this.#ofLocationsAndBlogs()
    this.#metafields()
    this.#catalog()
    this.#discounts()
    this.#routes[`POST ${API}/graphql.json`] = graphqlRoute(this.#store, this.#queries)
    this.#routes['POST /admin/oauth/access_token'] = {
      body: ['grant_type', 'client_id', 'client_secret'],
      answer: ({ body }) =>
        body.grant_type === 'client_credentials' && body.client_secret === 'right'
          ? { body: { access_token: TOKEN, scope: 'read_orders', expires_in: 86_399 } }
          : problem(400, 'invalid_client'),
    }
    return { routes: this.#routes, streams: this.#streams }
  }

  #route(path: string, list: RestList): void {
    this.#routes[`GET ${API}/${path}`] = restList(this.#store, list)
  }

  /** Rows with a moment of their last change, which a list is filtered by. */
  #updated(
    stream: string,
    list: RestList,
    path: string,
    known: () => JsonObject = () => ({}),
  ): void {
    const { field, from } = list.range ?? UPDATED
    const add = (count: number) =>
      times(count, () =>
        this.#store.add(stream, { [field]: shopTime(this.#store.tick()), ...known() }),
      )
    add(ROWS)
    this.#route(path, list)
    const rows = this.#store.rows(stream)
    this.#streams[stream] = {
      rows: () => rows.length,
      incremental: {
        ...{ sends: from, again: true, grow: () => add(3) },
        touch: () => Object.assign(rows[0] ?? {}, { [field]: shopTime(this.#store.tick()) }),
      },
    }
  }

  #orders(): void {
    const known = () => ({ refunds: [], fulfillments: [] })
    const list = { stream: 'orders', root: 'orders', range: UPDATED, others: ['status', 'fields'] }
    this.#updated('orders', list, 'orders.json', known)
    const { answer, ...route } = this.#routes[`GET ${API}/orders.json`] as MockRoutes[string]
    this.#routes[`GET ${API}/orders.json`] = {
      ...route,
      answer: (request) =>
        request.query.has('page_info') || request.query.get('status') === 'any'
          ? answer(request)
          : problem(400, 'only open orders'),
    }
  }

  #partsOfOrders(): void {
    const newOrder = () =>
      this.#store.add('orders', {
        ...{ updated_at: shopTime(this.#store.tick()), refunds: [], fulfillments: [] },
      })
    for (const [stream, moment, inside] of [
      ['order_refunds', 'created_at', 'refunds'],
      ['fulfillments', 'updated_at', 'fulfillments'],
      ['transactions', 'created_at', undefined],
      ['fulfillment_orders', 'updated_at', undefined],
    ] as const) {
      const add = (order: JsonObject) => {
        const row = this.#store.add(stream, {
          ...{ order_id: order.id ?? null, [moment]: order.updated_at ?? null },
        })
        if (inside) (order[inside] as JsonObject[]).push(row)
        return row
      }
      for (const order of this.#store.rows('orders').slice(0, ROWS)) add(order)
      if (!inside) {
        this.#route(`orders/{order}/${stream}.json`, {
          ...{ stream, root: stream },
          of: ({ params }, row) => String(row.order_id) === params.order,
        })
      }
      const rows = this.#store.rows(stream)
      const touch = () => {
        const [order] = this.#store.rows('orders')
        const now = shopTime(this.#store.tick())
        Object.assign(order ?? {}, { updated_at: now })
        Object.assign(rows.find((row) => row.order_id === order?.id) ?? {}, { updated_at: now })
      }
      this.#streams[stream] = {
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

  #addresses(): void {
    const add = (customer: JsonObject, count: number) =>
      times(count, () =>
        this.#store.add('customer_address', { customer_id: customer.id ?? null }, [
          'customer_updated_at',
        ]),
      )
    for (const customer of this.#store.rows('customers')) add(customer, 1)
    this.#route('customers/{customer}/addresses.json', {
      ...{ stream: 'customer_address', root: 'addresses' },
      of: ({ params }, row) => String(row.customer_id) === params.customer,
    })
    const rows = this.#store.rows('customer_address')
    this.#streams.customer_address = {
      rows: () => rows.length,
      incremental: {
        again: true,
        grow: () =>
          add(this.#store.add('customers', { updated_at: shopTime(this.#store.tick()) }), 3),
        touch: () =>
          Object.assign(this.#store.rows('customers')[0] ?? {}, {
            updated_at: shopTime(this.#store.tick()),
          }),
      },
    }
  }

  #whole(): void {
    for (const stream of ['locations', 'blogs', 'collects', 'countries']) {
      times(ROWS, () => this.#store.add(stream))
      this.#route(`${stream}.json`, { stream, root: stream })
      this.#streams[stream] = { rows: () => this.#store.rows(stream).length }
    }
    const shop = this.#store.add('shop')
    this.#routes[`GET ${API}/shop.json`] = { query: ['limit'], answer: () => ({ body: { shop } }) }
    this.#streams.shop = { rows: () => 1, onePage: true }
  }

  #payments(): void {
    for (const [stream, path, root] of [
      ['disputes', 'disputes', 'disputes'],
      ['balance_transactions', 'balance/transactions', 'transactions'],
    ] as const) {
      times(ROWS, () => this.#store.add(stream))
      this.#route(`shopify_payments/${path}.json`, { stream, root })
      this.#streams[stream] = { rows: () => this.#store.rows(stream).length }
    }
    let day = -8
    this.#dated('payouts', 'shopify_payments/payouts.json', 'date', () => {
      day += 8
      return shopTime(day * 24 + 12).slice(0, 10)
    })
    this.#dated('tender_transactions', 'tender_transactions.json', 'processed_at', () =>
      shopTime(this.#store.tick()),
    )
  }

  /** What never changes, or of which it is not told. */
  #dated(stream: string, path: string, field: string, moment: () => string): void {
    const add = (count: number) =>
      times(count, () => this.#store.add(stream, { [field]: moment() }))
    add(ROWS)
    const range = { field, from: `${field}_min`, to: `${field}_max` }
    this.#route(path, { stream, root: stream, range })
    this.#streams[stream] = {
      rows: () => this.#store.rows(stream).length,
      incremental: { sends: range.from, again: true, grow: () => add(3) },
    }
  }

  #ofLocationsAndBlogs(): void {
    const [location] = this.#store.rows('locations')
    this.#updated(
      'inventory_levels',
      {
        ...{ stream: 'inventory_levels', root: 'inventory_levels', others: ['location_ids'] },
        range: { field: 'updated_at', from: 'updated_at_min' },
        of: ({ query }, row) =>
          query.has('page_info') || query.get('location_ids') === String(row.location_id),
      },
      'inventory_levels.json',
      () => ({ location_id: location?.id ?? null, inventory_item_id: 7000 + this.#store.tick() }),
    )
    const [blog] = this.#store.rows('blogs')
    const articles = { stream: 'articles', root: 'articles', range: UPDATED }
    this.#updated(
      'articles',
      { ...articles, of: ({ params }, row) => String(row.blog_id) === params.blog },
      'blogs/{blog}/articles.json',
      () => ({ blog_id: blog?.id ?? null }),
    )
  }

  #metafields(): void {
    for (const [owners, path] of Object.entries(METAFIELD_OWNERS)) {
      const stream = `metafield_${owners}`
      for (const owner of this.#store.rows(owners)) {
        this.#store.add(stream, { owner_id: owner.id ?? null })
      }
      this.#route(`${path}/{owner}/metafields.json`, {
        ...{ stream, root: 'metafields' },
        of: ({ params }, row) => String(row.owner_id) === params.owner,
      })
      this.#streams[stream] = { rows: () => this.#store.rows(stream).length }
    }
    times(ROWS, () => this.#store.add('metafield_shops'))
    this.#route('metafields.json', { stream: 'metafield_shops', root: 'metafields' })
    this.#streams.metafield_shops = { rows: () => this.#store.rows('metafield_shops').length }
  }

  /** Read by GraphQL, and parts of what is. */
  #catalog(): void {
    const gid = (type: string, n: number) => ({
      admin_graphql_api_id: `gid://shopify/${type}/${n}`,
    })
    this.#searched('products', 'Products', 'products', (n) => gid('Product', n))
    this.#searched('product_variants', 'ProductVariants', 'productVariants', (n) =>
      gid('ProductVariant', n),
    )
    this.#searched('inventory_items', 'InventoryItems', 'inventoryItems', (n) =>
      gid('InventoryItem', n),
    )
    this.#queries.ProductsToAsk = { ...asked('products'), node: onlyIdentity }
    this.#queries.VariantsToAsk = {
      ...asked('product_variants', 'productVariants'),
      node: onlyIdentity,
    }
    this.#searched(
      'deleted_products',
      'DeletedProducts',
      'deletionEvents',
      (n) => ({ id: `gid://shopify/Product/${n}` }),
      'deleted_at',
    )
    this.#parts('product_images', 'ProductImages', 'products', ['id', 'product_id'])
    this.#parts('metafield_products', 'ProductMetafields', 'products', ['owner_id'])
    this.#parts('metafield_product_variants', 'ProductVariantMetafields', 'product_variants', [
      'owner_id',
    ])
  }

  #searched(
    stream: string,
    query: string,
    connection: string,
    known: (n: number) => JsonObject,
    moment = 'updated_at',
  ): void {
    const add = (count: number) =>
      times(count, () => {
        const hour = this.#store.tick()
        this.#store.add(stream, { [moment]: utcTime(hour), ...known(hour) })
      })
    add(ROWS)
    const rows = this.#store.rows(stream)
    this.#queries[query] = { stream, connection, searched: moment, node: withTextIds }
    this.#streams[stream] = {
      rows: () => rows.length,
      incremental: {
        ...{ sends: 'variables', again: true, grow: () => add(3) },
        ...(moment === 'updated_at'
          ? {
              touch: () =>
                Object.assign(rows[0] ?? {}, { updated_at: utcTime(this.#store.tick()) }),
            }
          : {}),
      },
    }
  }

  #parts(stream: string, query: string, owners: string, left: string[]): void {
    const add = (owner: JsonObject, count: number) =>
      times(count, () =>
        this.#store.add(
          stream,
          {
            ...{ owner: owner.admin_graphql_api_id ?? null, updated_at: owner.updated_at ?? null },
            admin_graphql_api_id: `gid://shopify/Part/${9000 + this.#store.rows(stream).length}`,
          },
          left,
        ),
      )
    for (const owner of this.#store.rows(owners)) add(owner, 1)
    const shape = (page: JsonObject) => ({ node: { part: page } })
    const node = ({ owner: _, ...row }: JsonObject) => withTextIds(row)
    this.#queries[query] = { stream, connection: 'part', owner: 'owner', shape, node }
    const rows = this.#store.rows(stream)
    const touch = () => {
      const [owner] = this.#store.rows(owners)
      const now = utcTime(this.#store.tick())
      Object.assign(owner ?? {}, { updated_at: now })
      Object.assign(rows.find((row) => row.owner === owner?.admin_graphql_api_id) ?? {}, {
        alt: now,
      })
    }
    this.#streams[stream] = {
      rows: () => rows.length,
      ...(stream === 'product_images'
        ? {
            incremental: {
              again: true,
              grow: () => {
                const hour = this.#store.tick()
                const known = { admin_graphql_api_id: `gid://shopify/Product/${hour}` }
                add(this.#store.add(owners, { ...known, updated_at: utcTime(hour) }), 3)
              },
              touch,
            },
          }
        : {}),
    }
  }

  #discounts(): void {
    this.#searched('discounts', 'Discounts', 'discountNodes', (n) => ({
      id: `gid://shopify/DiscountCodeNode/${n}`,
    }))
    const list = this.#queries.Discounts as GraphqlList
    list.node = ({ id = null, ...discount }) => ({ id, discount })
    this.#queries.CodeDiscountsToAsk = {
      ...asked('discounts', 'codeDiscountNodes'),
      node: ({ id = null }) => ({ id }),
    }
    for (const { id = null } of this.#store.rows('discounts')) {
      const n = this.#store.tick()
      this.#store.add('discount_codes', { id: `code ${n}`, owner: id }, ['discount_id'])
    }
    this.#queries.DiscountCodes = {
      ...{ stream: 'discount_codes', connection: 'codes', owner: 'owner' },
      shape: (codes) => ({ node: { discount: { codes } } }),
      node: ({ owner: _, ...row }) => row,
    }
    this.#streams.discount_codes = { rows: () => this.#store.rows('discount_codes').length }
  }
}

const asked = (stream: string, connection = stream): GraphqlList => ({ stream, connection })

const onlyIdentity = ({ admin_graphql_api_id = null, updated_at = null }: JsonObject) => ({
  ...{ admin_graphql_api_id, updated_at },
})

/** `UnsignedInt64` comes as text: https://shopify.dev/docs/api/admin-graphql/latest/scalars/UnsignedInt64 */
function withTextIds(row: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) =>
      name === 'id'
        ? [name, String(value)]
        : [
            name,
            name === 'product' || name === 'inventory_item'
              ? withTextIds(value as JsonObject)
              : value,
          ],
    ),
  )
}

function times(count: number, make: () => unknown): void {
  for (let n = 0; n < count; n++) make()
}
