import { API, addRoute, addUpdated, ROWS, type Shelf, times, UPDATED } from './shelf.ts'
import { shopTime } from './store.ts'

const METAFIELD_OWNERS = {
  ...{ articles: 'articles', blogs: 'blogs', customers: 'customers' },
  ...{ draft_orders: 'draft_orders', orders: 'orders', pages: 'pages' },
  smart_collections: 'collections',
}

export function addWhole(shelf: Shelf): void {
  for (const stream of ['locations', 'blogs', 'collects', 'countries']) {
    times(ROWS, () => shelf.store.add(stream))
    addRoute(shelf, `${stream}.json`, { stream, root: stream })
    shelf.streams[stream] = { rows: () => shelf.store.rows(stream).length }
  }
  const shop = shelf.store.add('shop')
  shelf.routes[`GET ${API}/shop.json`] = { query: ['limit'], answer: () => ({ body: { shop } }) }
  shelf.streams.shop = { rows: () => 1, onePage: true }
}

export function addPayments(shelf: Shelf): void {
  for (const [stream, path, root] of [
    ['disputes', 'disputes', 'disputes'],
    ['balance_transactions', 'balance/transactions', 'transactions'],
  ] as const) {
    times(ROWS, () => shelf.store.add(stream))
    addRoute(shelf, `shopify_payments/${path}.json`, { stream, root })
    shelf.streams[stream] = { rows: () => shelf.store.rows(stream).length }
  }
  let day = -8
  addDated(shelf, 'payouts', 'shopify_payments/payouts.json', 'date', () => {
    day += 8
    return shopTime(day * 24 + 12).slice(0, 10)
  })
  addDated(shelf, 'tender_transactions', 'tender_transactions.json', 'processed_at', () =>
    shopTime(shelf.store.tick()),
  )
}

/** What never changes, or of which it is not told. */
function addDated(
  shelf: Shelf,
  stream: string,
  path: string,
  field: string,
  moment: () => string,
): void {
  const add = (count: number) => times(count, () => shelf.store.add(stream, { [field]: moment() }))
  add(ROWS)
  const range = { field, from: `${field}_min`, to: `${field}_max` }
  addRoute(shelf, path, { stream, root: stream, range })
  shelf.streams[stream] = {
    rows: () => shelf.store.rows(stream).length,
    incremental: { sends: range.from, again: true, grow: () => add(3) },
  }
}

export function addLocationsAndBlogs(shelf: Shelf): void {
  const [location] = shelf.store.rows('locations')
  addUpdated(
    shelf,
    'inventory_levels',
    {
      ...{ stream: 'inventory_levels', root: 'inventory_levels', others: ['location_ids'] },
      range: { field: 'updated_at', from: 'updated_at_min' },
      of: ({ query }, row) =>
        query.has('page_info') || query.get('location_ids') === String(row.location_id),
    },
    'inventory_levels.json',
    () => ({ location_id: location?.id ?? null, inventory_item_id: 7000 + shelf.store.tick() }),
  )
  const [blog] = shelf.store.rows('blogs')
  const articles = { stream: 'articles', root: 'articles', range: UPDATED }
  addUpdated(
    shelf,
    'articles',
    { ...articles, of: ({ params }, row) => String(row.blog_id) === params.blog },
    'blogs/{blog}/articles.json',
    () => ({ blog_id: blog?.id ?? null }),
  )
}

export function addMetafields(shelf: Shelf): void {
  for (const [owners, path] of Object.entries(METAFIELD_OWNERS)) {
    const stream = `metafield_${owners}`
    for (const owner of shelf.store.rows(owners)) {
      shelf.store.add(stream, { owner_id: owner.id ?? null })
    }
    addRoute(shelf, `${path}/{owner}/metafields.json`, {
      ...{ stream, root: 'metafields' },
      of: ({ params }, row) => String(row.owner_id) === params.owner,
    })
    shelf.streams[stream] = { rows: () => shelf.store.rows(stream).length }
  }
  times(ROWS, () => shelf.store.add('metafield_shops'))
  addRoute(shelf, 'metafields.json', { stream: 'metafield_shops', root: 'metafields' })
  shelf.streams.metafield_shops = { rows: () => shelf.store.rows('metafield_shops').length }
}
