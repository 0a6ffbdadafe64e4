/** The declarative source `shop` in the Worker's registry, for tests. */
import { sourceRegistry } from '../../src/durable-object/platform.ts'
import type { JsonObject } from '../../src/protocol/index.ts'
import type { Source } from '../../src/runtime/contract.ts'
import { declarativeSource } from '../../src/runtime/declarative/index.ts'
import { SHOP_INFO } from './shop-manifest.ts'

let shop: Source | undefined

/** What `shop` is from now on. */
export function setShop(manifest: JsonObject): void {
  shop = declarativeSource(manifest, SHOP_INFO)
}

const { get } = sourceRegistry
sourceRegistry.get = (name) => (name === SHOP_INFO.name && shop ? shop : get(name))
