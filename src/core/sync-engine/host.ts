import type {
  AirbyteStream,
  JsonObject,
  PartitionDelta,
  StreamDescriptor,
} from '../../protocol/index.ts'
import type {
  Budget,
  ConnectorContext,
  Destination,
  ObjectStore,
  Source,
} from '../../runtime/contract.ts'
import type { KeptConnections } from '../../runtime/kept-connections.ts'
import type { AddedStreams, Claim, PlanClaim, StreamClaim, SyncControl } from './types.ts'

/** What a slice needs of the place it runs in: a queue consumer, an alarm, a test. */
export interface TaskHost {
  sync: SyncControl
  /** Chunks and rejects of this workspace. */
  staging: ObjectStore
  openSource(claim: Claim): Promise<{ connector: Source; config: JsonObject }>
  /** `edition` is another one whenever somebody changed the config. */
  openDestination(
    claim: Claim,
  ): Promise<{ connector: Destination; config: JsonObject; edition?: number }>
  context(options: {
    claim: Claim
    signal: AbortSignal
    budget: Budget
    kept?: KeptConnections
    log: ConnectorContext['log']
  }): ConnectorContext
  /** Masks the secrets of what was opened; every log line and error passes it. */
  scrub(text: string): string
  /** What makes up the lists of partitions in the state that the stream is read from, in order. */
  partitions(claim: StreamClaim): Promise<PartitionDelta[]>
  /** Takes in those of the source's streams that are new; absent: this host keeps no connection. */
  addStreams?(claim: PlanClaim, found: AirbyteStream[]): Promise<AddedStreams>
  /** Claims tables of the destination that planning brought up; throws TABLE_TAKEN. */
  claimTables?(claim: PlanClaim, tables: StreamDescriptor[]): Promise<void>
  now(): number
}
