import type { JsonValue } from '../../../protocol/index.ts'
import { isObject } from '../manifest/values.ts'
import { type Partition, type PartitionRouter, placed } from './types.ts'

/** Where a read of the union stands: in which router, and where in it. */
interface Position {
  router: number
  inner: JsonValue
}

/**
 * The partitions of all routers, each value of `field` once. What was given is not kept with the
 * position, where it would grow without end: a read that goes on asks the routers for it again.
 */
export function unionRouter(
  routers: PartitionRouter[],
  field: string,
): Pick<PartitionRouter, 'partitions'> {
  const textOf = ({ partition }: Partition) => JSON.stringify(partition[field] ?? null)

  /** The values before a position. One that is not found any more has none in its router. */
  async function given(from: Position): Promise<Set<string>> {
    const { router: open, inner } = from
    const again = () => from as unknown as JsonValue
    const values = new Set<string>()
    for (const [at, router] of routers.slice(0, open + 1).entries()) {
      const own = new Set<string>()
      let isFound = at < open
      for await (const item of placed(router.partitions(), again)) {
        isFound ||= JSON.stringify(item.position) === JSON.stringify(inner)
        if (isFound && at === open) break
        own.add(textOf(item))
      }
      if (isFound) for (const value of own) values.add(value)
    }
    return values
  }

  async function* partitions(from: JsonValue | undefined): AsyncGenerator<Partition> {
    const start = isObject(from) ? (from as unknown as Position) : undefined
    const seen = start ? await given(start) : new Set<string>()
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
  }

  return { partitions }
}
