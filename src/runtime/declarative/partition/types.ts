import type { JsonObject, JsonValue } from '../../../protocol/index.ts'
import type { Slice } from '../environment.ts'
import type { Value } from '../python/values.ts'
import type { RequestOptions } from '../requester/options.ts'
import { WaitUntil } from '../wait.ts'

export interface Partition {
  partition: JsonObject
  /** Fields that templates see but that do not identify the partition. */
  extra: { [key: string]: JsonValue }
  /** What the parent's record has of the children: their first page. Not saved. */
  first?: Value
  /** From here `partitions` begins with this partition again. */
  position: JsonValue
}

/** Cuts a stream into partitions, in the same order each time. */
export interface PartitionRouter {
  partitions(from?: JsonValue): AsyncIterable<Partition>
  options(slice: Slice): RequestOptions
  /** The states of parents that are read incrementally: what their children are complete for. */
  parentState(): JsonObject | undefined
}

/** A parent has to wait; `partitions` goes on from `position`. */
export class ParentWait extends WaitUntil {
  readonly position: JsonValue

  constructor({ message, stream = '', until, failure }: WaitUntil, position: JsonValue) {
    super(message, stream, until, null, failure)
    this.position = position
  }
}

/** The partitions of a router within another, which says what an inner position is to it. */
export async function* placed<Item>(
  partitions: AsyncIterable<Item>,
  place: (inner: JsonValue) => JsonValue,
): AsyncGenerator<Item> {
  try {
    yield* partitions
  } catch (error) {
    throw error instanceof ParentWait ? new ParentWait(error, place(error.position)) : error
  }
}

export const NO_PARTITIONS: PartitionRouter = {
  async *partitions() {
    yield { partition: {}, extra: {}, position: null }
  },
  options: () => ({}),
  parentState: () => undefined,
}
