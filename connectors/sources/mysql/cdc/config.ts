import type { SourceConfig } from '../config.ts'

/** `replication_method` with method `CDC`, by Airbyte's field names. */
export interface CdcConfig {
  method: 'CDC'
  /** Seconds to wait for transactions that were open when the log or a table was taken up. */
  initial_waiting_seconds?: number
}

const DEFAULT_WAITING_SECONDS = 300

/** Of a source whose incremental streams come from the log. */
export const cdcOf = ({ replication_method: chosen }: SourceConfig): CdcConfig | undefined =>
  chosen?.method === 'CDC' ? chosen : undefined

export const waitingMs = ({ initial_waiting_seconds: seconds }: CdcConfig) =>
  (seconds ?? DEFAULT_WAITING_SECONDS) * 1000
