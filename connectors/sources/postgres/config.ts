import { AirbyteError, type JsonObject } from '../../../src/protocol/index.ts'
import { requireTexts } from '../../../src/runtime/database/required.ts'
import type { PostgresConfig } from '../../../src/runtime/postgres/config.ts'
import { type CdcConfig, parseCdc } from './cdc/config.ts'

/** Source configuration by Airbyte's field names. */
export interface SourceConfig extends PostgresConfig {
  /** Schemas to discover; empty: all but the system's. */
  schemas: string[]
  replication_method?: { method: 'Standard' } | CdcConfig
  /** Rows of one statement over a keyset. Not in the form: for tests and for operators. */
  chunk_rows?: number
  /** Bytes of one statement; default 64 MiB over a keyset, 8 MiB over row addresses. */
  chunk_bytes?: number
  /** Rows between two states at most; default: 4 MiB of rows. */
  checkpoint_rows?: number
}

/** The configuration with its defaults. Throws VALIDATION_FAILED or UNSUPPORTED, naming the field. */
export function parseConfig(config: JsonObject): SourceConfig {
  requireTexts(config, ['host', 'database', 'username'])
  const replication = (config.replication_method ?? {}) as JsonObject
  const { method = 'Standard' } = replication
  if (method === 'CDC') parseCdc(replication)
  else if (method !== 'Standard') {
    throw new AirbyteError('UNSUPPORTED', `The update method '${method}' is not supported.`, {
      field: 'config.replication_method.method',
      hint: 'Choose CDC, or Standard: incremental streams read by a cursor column.',
    })
  }
  return {
    ...(config as unknown as SourceConfig),
    port: Number(config.port ?? 5432),
    schemas: Array.isArray(config.schemas) ? config.schemas.map(String) : [],
  }
}
