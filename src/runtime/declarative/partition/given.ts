import { type Partition, type PartitionRouter, placed } from './types.ts'

/** Up to where routers were followed that give each value once. */
export interface GivenUpTo {
  /** The newest value that was given for the first time; absent: none was. */
  last?: string
}

/**
 * The values that were given up to `last`, of which all but the last router were followed to their
 * end. Kept with a position they would grow without end, so a read that goes on asks the routers
 * again. Where `last` does not come any more, nothing of the last router counts as given: its
 * values come twice rather than not at all.
 *
 * @param position where `partitions` goes on when a router has to wait here
 */
export async function valuesGiven(
  routers: PartitionRouter[],
  { last }: GivenUpTo,
  textOf: (item: Partition) => string,
  position: Partition['position'],
): Promise<Set<string>> {
  const values = new Set<string>()
  for (const [at, router] of routers.entries()) {
    if (last === undefined || values.has(last)) break
    const own = new Set<string>()
    for await (const item of placed(router.partitions(), () => position)) {
      own.add(textOf(item))
      if (own.has(last)) break
    }
    if (own.has(last) || at < routers.length - 1) for (const value of own) values.add(value)
  }
  return values
}
