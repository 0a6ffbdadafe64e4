import { isObject, type JsonObject, type JsonValue } from '../../../protocol/index.ts'
import { type GivenUpTo, valuesGiven } from './given.ts'
import { type Partition, type PartitionRouter, placed } from './types.ts'

interface Grouping {
  /** Of a group. */
  size: number
  /** Each value is in one group only. */
  deduplicates: boolean
  textOf(item: Partition): string
}

/** Where a group begins: at which partition, after which values. */
interface Position extends GivenUpTo {
  inner: JsonValue
}

/** The partitions of another router, so many at a time. */
export function groupingRouter(
  inner: PartitionRouter,
  { size, deduplicates, textOf }: Grouping,
): Pick<PartitionRouter, 'partitions'> {
  return {
    async *partitions(from) {
      const start = isObject(from) ? (from as unknown as Position) : undefined
      const seen = await valuesGiven([inner], start ?? {}, textOf, from ?? null)
      let group: Partition[] = []
      // Of the groups before the one at hand.
      let last = start?.last
      const place = (at: JsonValue): JsonValue => ({
        inner: group[0]?.position ?? at,
        ...(deduplicates && last !== undefined ? { last } : {}),
      })
      for await (const item of placed(inner.partitions(start?.inner), place)) {
        const value = textOf(item)
        if (deduplicates && seen.has(value)) continue
        if (deduplicates) seen.add(value)
        group.push(item)
        if (group.length < size) continue
        yield grouped(group, place(null))
        group = []
        last = value
      }
      if (group.length > 0) yield grouped(group, place(null))
    },
  }
}

function grouped(group: Partition[], position: JsonValue): Partition {
  const [first] = group as [Partition]
  const lists = (of: (item: Partition) => JsonObject, keys: string[]) =>
    Object.fromEntries(keys.map((key) => [key, group.map((item) => of(item)[key] ?? null)]))
  const extraKeys = [...new Set(group.flatMap(({ extra }) => Object.keys(extra)))]
  return {
    partition: lists(({ partition }) => partition, Object.keys(first.partition)),
    extra: lists(({ extra }) => extra, extraKeys),
    position,
  }
}
