import type { JsonObject, JsonValue } from '../../../protocol/index.ts'
import type { Slice } from '../environment.ts'
import type { RequestOptions } from '../requester/options.ts'

export interface Partition {
  partition: JsonObject
  /** Fields that templates see but that do not identify the partition. */
  extra: { [key: string]: JsonValue }
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

export const NO_PARTITIONS: PartitionRouter = {
  async *partitions() {
    yield { partition: {}, extra: {}, position: null }
  },
  options: () => ({}),
  parentState: () => undefined,
}
