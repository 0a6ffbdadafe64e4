import type { JsonValue } from '../../../protocol/index.ts'
import { isObject } from '../manifest/values.ts'
import { type Partition, type PartitionRouter, placed } from './types.ts'

/** Where a read of the union stands: in which router, and where in it. */
interface Position {
  router: number
  inner: JsonValue
}

/**
 * The partitions of all routers, each value of `field` once. A read that goes on asks the routers
 * before the open one again, and the open one unless it is the last, to know what they gave. In
 * the last one a value that it gives twice, before and after the position, comes again.
 */
export function unionRouter(
  routers: PartitionRouter[],
  field: string,
): Pick<PartitionRouter, 'partitions'> {
  const textOf = ({ partition }: Partition) => JSON.stringify(partition[field] ?? null)

  async function* given(from: Position): AsyncGenerator<string> {
    for (const [at, router] of routers.slice(0, -1).entries()) {
      if (at > from.router) return
      for await (const item of router.partitions()) {
        const isThere = at === from.router && same(item.position, from.inner)
        if (isThere) return
        yield textOf(item)
      }
    }
  }

  return {
    async *partitions(from) {
      const start = isObject(from) ? (from as unknown as Position) : undefined
      const seen = new Set<string>()
      if (start) for await (const value of placed(given(start), () => from ?? null)) seen.add(value)
      for (const [at, router] of routers.entries()) {
        if (start && at < start.router) continue
        const place = (inner: JsonValue) => ({ router: at, inner })
        const inner = at === start?.router ? start.inner : undefined
        for await (const item of placed(router.partitions(inner), place)) {
          const value = textOf(item)
          if (seen.has(value)) continue
          seen.add(value)
          const { [field]: own = null, ...rest } = item.partition
          yield {
            partition: { [field]: own },
            extra: { ...item.extra, ...rest },
            position: place(item.position),
          }
        }
      }
    },
  }
}

const same = (a: JsonValue, b: JsonValue) => JSON.stringify(a) === JSON.stringify(b)
