import type { JsonObject, LogLevel, PartitionDelta } from '../../protocol/index.ts'
import type {
  Budget,
  ConnectorContext,
  Destination,
  ObjectStore,
  Source,
} from '../../runtime/contract.ts'
import type { Claim, StreamClaim, SyncControl } from './types.ts'

/** What a slice needs of the place it runs in: a queue consumer, an alarm, a test. */
export interface TaskHost {
  sync: SyncControl
  /** Chunks and rejects of this workspace. */
  staging: ObjectStore
  openSource(claim: Claim): Promise<{ connector: Source; config: JsonObject }>
  openDestination(claim: Claim): Promise<{ connector: Destination; config: JsonObject }>
  context(options: {
    claim: Claim
    signal: AbortSignal
    budget: Budget
    log: (level: LogLevel, message: string) => void
  }): ConnectorContext
  /** Masks the secrets of what was opened; every log line and error passes it. */
  scrub(text: string): string
  /** What makes up the lists of partitions in the state that the stream is read from, in order. */
  partitions(claim: StreamClaim): Promise<PartitionDelta[]>
  now(): number
}
