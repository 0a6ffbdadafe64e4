import { isObject, type JsonValue } from '../../../protocol/index.ts'
import { type GivenUpTo, valuesGiven } from './given.ts'
import { type Partition, type PartitionRouter, placed } from './types.ts'

/** Where a read of the union stands: in which router, and where in it. */
interface Position extends GivenUpTo {
  router: number
  inner: JsonValue
}

/** The partitions of all routers, each value of `field` once. */
export function unionRouter(
  routers: PartitionRouter[],
  field: string,
): Pick<PartitionRouter, 'partitions'> {
  const textOf = ({ partition }: Partition) => JSON.stringify(partition[field] ?? null)

  async function* partitions(from: JsonValue | undefined): AsyncGenerator<Partition> {
    const start = isObject(from) ? (from as unknown as Position) : undefined
    const before = start ? routers.slice(0, start.router + 1) : []
    const seen = await valuesGiven(before, start ?? {}, textOf, from ?? null)
    let last = start?.last
    for (const [at, router] of routers.entries()) {
      if (start && at < start.router) continue
      const place = (position: JsonValue): JsonValue => ({
        ...{ router: at, inner: position },
        ...(last === undefined ? {} : { last }),
      })
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
        last = value
      }
    }
  }

  return { partitions }
}
