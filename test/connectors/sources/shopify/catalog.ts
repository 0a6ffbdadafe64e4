import type { JsonObject } from '../../../../src/protocol/index.ts'
import type { GraphqlList } from './graphql.ts'
import { ROWS, type Shelf, times } from './shelf.ts'
import { utcTime } from './store.ts'

/** Read by GraphQL, and parts of what is. */
export function addCatalog(shelf: Shelf): void {
  const gid = (type: string, n: number) => ({
    admin_graphql_api_id: `gid://shopify/${type}/${n}`,
  })
  addSearched(shelf, 'products', 'Products', 'products', (n) => gid('Product', n))
  addSearched(shelf, 'product_variants', 'ProductVariants', 'productVariants', (n) =>
    gid('ProductVariant', n),
  )
  addSearched(shelf, 'inventory_items', 'InventoryItems', 'inventoryItems', (n) =>
    gid('InventoryItem', n),
  )
  shelf.queries.ProductsToAsk = { ...asked('products'), node: onlyIdentity }
  shelf.queries.VariantsToAsk = {
    ...asked('product_variants', 'productVariants'),
    node: onlyIdentity,
  }
  addSearched(
    shelf,
    'deleted_products',
    'DeletedProducts',
    'deletionEvents',
    (n) => ({ id: `gid://shopify/Product/${n}` }),
    'deleted_at',
  )
  addParts(shelf, 'product_images', 'ProductImages', 'products', ['id', 'product_id'])
  addParts(shelf, 'metafield_products', 'ProductMetafields', 'products', ['owner_id'])
  addParts(shelf, 'metafield_product_variants', 'ProductVariantMetafields', 'product_variants', [
    'owner_id',
  ])
}

export function addSearched(
  shelf: Shelf,
  stream: string,
  query: string,
  connection: string,
  known: (n: number) => JsonObject,
  moment = 'updated_at',
): void {
  const add = (count: number) =>
    times(count, () => {
      const hour = shelf.store.tick()
      shelf.store.add(stream, { [moment]: utcTime(hour), ...known(hour) })
    })
  add(ROWS)
  const rows = shelf.store.rows(stream)
  shelf.queries[query] = { stream, connection, searched: moment, node: withTextIds }
  shelf.streams[stream] = {
    rows: () => rows.length,
    incremental: {
      ...{ sends: 'variables', again: true, grow: () => add(3) },
      ...(moment === 'updated_at'
        ? {
            touch: () => Object.assign(rows[0] ?? {}, { updated_at: utcTime(shelf.store.tick()) }),
          }
        : {}),
    },
  }
}

function addParts(
  shelf: Shelf,
  stream: string,
  query: string,
  owners: string,
  left: string[],
): void {
  const add = (owner: JsonObject, count: number) =>
    times(count, () =>
      shelf.store.add(
        stream,
        {
          ...{ owner: owner.admin_graphql_api_id ?? null, updated_at: owner.updated_at ?? null },
          admin_graphql_api_id: `gid://shopify/Part/${9000 + shelf.store.rows(stream).length}`,
        },
        left,
      ),
    )
  for (const owner of shelf.store.rows(owners)) add(owner, 1)
  const shape = (page: JsonObject) => ({ node: { part: page } })
  const node = ({ owner: _, ...row }: JsonObject) => withTextIds(row)
  shelf.queries[query] = { stream, connection: 'part', owner: 'owner', shape, node }
  const rows = shelf.store.rows(stream)
  const touch = () => {
    const [owner] = shelf.store.rows(owners)
    const now = utcTime(shelf.store.tick())
    Object.assign(owner ?? {}, { updated_at: now })
    Object.assign(rows.find((row) => row.owner === owner?.admin_graphql_api_id) ?? {}, {
      alt: now,
    })
  }
  shelf.streams[stream] = {
    rows: () => rows.length,
    ...(stream === 'product_images'
      ? {
          incremental: {
            again: true,
            grow: () => {
              const hour = shelf.store.tick()
              const known = { admin_graphql_api_id: `gid://shopify/Product/${hour}` }
              add(shelf.store.add(owners, { ...known, updated_at: utcTime(hour) }), 3)
            },
            touch,
          },
        }
      : {}),
  }
}

export function addDiscounts(shelf: Shelf): void {
  addSearched(shelf, 'discounts', 'Discounts', 'discountNodes', (n) => ({
    id: `gid://shopify/DiscountCodeNode/${n}`,
  }))
  const list = shelf.queries.Discounts as GraphqlList
  list.node = ({ id = null, ...discount }) => ({ id, discount })
  shelf.queries.CodeDiscountsToAsk = {
    ...asked('discounts', 'codeDiscountNodes'),
    node: ({ id = null }) => ({ id }),
  }
  for (const { id = null } of shelf.store.rows('discounts')) {
    const n = shelf.store.tick()
    shelf.store.add('discount_codes', { id: `code ${n}`, owner: id }, ['discount_id'])
  }
  shelf.queries.DiscountCodes = {
    ...{ stream: 'discount_codes', connection: 'codes', owner: 'owner' },
    shape: (codes) => ({ node: { discount: { codes } } }),
    node: ({ owner: _, ...row }) => row,
  }
  shelf.streams.discount_codes = { rows: () => shelf.store.rows('discount_codes').length }
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
