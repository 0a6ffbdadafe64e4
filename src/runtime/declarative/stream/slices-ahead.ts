import { type JsonObject, partitionKey } from '../../../protocol/index.ts'
import type { Bookmark } from '../cursor/bookmark.ts'
import type { StreamCursor } from '../cursor/types.ts'
import type { Slice } from '../environment.ts'
import type { RouterAhead } from '../partition/ahead.ts'
import type { Partition } from '../partition/types.ts'

/** The slices that come after one. */
export type Ahead = (count: number) => Promise<Slice[]>

export const NOTHING_AHEAD: Ahead = async () => []

/** Where a read stands: a partition, and those of its intervals that come later. */
export interface Standing {
  part: Partition
  later(): Iterable<JsonObject>
}

/** So many slices as there are, of the partition at hand and of those after it. */
export async function slicesAfter(
  { part: current, later }: Standing,
  router: RouterAhead,
  tracking: { cursor: StreamCursor; bookmark: Bookmark } | undefined,
  count: number,
): Promise<Slice[]> {
  const slices: Slice[] = []
  const add = ({ partition, extra }: Partition, intervals: Iterable<JsonObject>) => {
    for (const interval of intervals) {
      if (slices.length >= count) return
      slices.push({ partition, interval, extra })
    }
  }
  add(current, later())
  for (let known = 1; slices.length < count; known++) {
    const part = (await router.peek(known))[known - 1]
    if (!part) return slices
    if (partitionKey(part.partition) === partitionKey(current.partition)) continue
    const progress = tracking?.bookmark.peek(part.partition)
    if (!tracking) add(part, [{}])
    else if (progress) add(part, tracking.cursor.restore(progress.serialize()).intervals())
  }
  return slices
}
