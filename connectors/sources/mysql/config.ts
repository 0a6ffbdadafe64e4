import { AirbyteError, type JsonObject } from '../../../src/protocol/index.ts'
import { requireTexts } from '../../../src/runtime/database/required.ts'
import { DEFAULT_PORT, type MysqlConfig } from '../../../src/runtime/mysql/config.ts'
import type { CdcConfig } from './cdc/config.ts'

/** Source configuration by Airbyte's field names. */
export interface SourceConfig extends MysqlConfig {
  replication_method?: { method: 'STANDARD' } | CdcConfig
  /** Whether a TINYINT(1) is a boolean, as of JDBC's `tinyInt1isBit`; default true. */
  tinyint1_is_bit?: boolean
  /** Rows of one statement over a key. Not in the form: for tests and for operators. */
  chunk_rows?: number
  /** Bytes of one statement; default 64 MiB. */
  chunk_bytes?: number
  /** Rows between two states at most; default: 4 MiB of rows. */
  checkpoint_rows?: number
}

/** The configuration with its defaults. Throws VALIDATION_FAILED or UNSUPPORTED, naming the field. */
export function parseConfig(config: JsonObject): SourceConfig {
  requireTexts(config, ['host', 'database', 'username'])
  const { method = 'STANDARD' } = (config.replication_method ?? {}) as { method?: string }
  if (method !== 'STANDARD' && method !== 'CDC') {
    throw new AirbyteError('UNSUPPORTED', `The update method '${method}' is not supported.`, {
      field: 'config.replication_method.method',
      hint: 'Choose CDC, which follows the binlog, or STANDARD: incremental streams read by a cursor column.',
    })
  }
  return { ...(config as unknown as SourceConfig), port: Number(config.port ?? DEFAULT_PORT) }
}
