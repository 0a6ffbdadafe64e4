import { AirbyteError, type JsonObject } from '../../../../src/protocol/index.ts'
import type { SourceConfig } from '../config.ts'

/** `replication_method` with method `CDC`, by Airbyte's field names. */
export interface CdcConfig {
  method: 'CDC'
  /** Absent: one is made, named after the source. */
  replication_slot?: string
  publication?: string
  /** Tables, as `schema.table`, that are only ever inserted into: they need no replica identity. */
  insert_only_tables?: string[]
  /** Seconds to wait for transactions that were open when a table was published. */
  initial_waiting_seconds?: number
  lsn_commit_behaviour?: 'While reading Data' | typeof AFTER_LOADING
  /** A statement that is run now and then while the log is read. */
  heartbeat_action_query?: string
}

/** The server keeps its log until the destination has it; by default, until it is staged. */
export const AFTER_LOADING = 'After loading Data in the destination'

/** Names that the server takes for slots. */
const SLOT_NAME = /^[a-z0-9_]{1,63}$/

/** Throws VALIDATION_FAILED, naming the field. */
export function parseCdc(method: JsonObject): CdcConfig {
  const { replication_slot: slot } = method
  if (slot !== undefined && (typeof slot !== 'string' || !SLOT_NAME.test(slot))) {
    throw new AirbyteError('VALIDATION_FAILED', 'The slot has a name that PostgreSQL refuses.', {
      field: 'config.replication_method.replication_slot',
      hint: 'Use lower-case letters, digits and underscores, at most 63; or leave it out.',
    })
  }
  return method as unknown as CdcConfig
}

export const DEFAULT_WAITING_SECONDS = 300

/** What the slot and the publication are called: as the config says, or after the source. */
export const namesOf = ({ replication_slot, publication }: CdcConfig, name: string) => ({
  slot: replication_slot ?? name,
  publication: publication ?? name,
})

/** Of a source whose incremental streams come from the log. */
export const cdcOf = ({ replication_method: chosen }: SourceConfig): CdcConfig | undefined =>
  chosen?.method === 'CDC' ? chosen : undefined

/** What `pg_stat_activity` shows of the reader of a slot: it tells ours from a stranger. */
export const readerName = (slot: string) => `airbyte cdc ${slot}`
