import { AirbyteError, type JsonObject } from '../../../src/protocol/index.ts'
import { requireTexts } from '../../../src/runtime/database/required.ts'
import { isSoftDelete } from '../../../src/runtime/loading/deletion-mode.ts'
import type { Settings } from '../../../src/runtime/loading/layout.ts'
import { DEFAULT_PORT, type MysqlConfig } from '../../../src/runtime/mysql/config.ts'

export interface DestinationConfig extends MysqlConfig, Settings {}

/** Fills defaults; VALIDATION_FAILED names the first field that is missing. */
export function parseConfig(config: JsonObject): DestinationConfig {
  requireTexts(config, ['host', 'database', 'username'])
  const port = Number(config.port ?? DEFAULT_PORT)
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new AirbyteError('VALIDATION_FAILED', 'The port is not a number from 1 to 65535.', {
      field: 'config.port',
    })
  const softDelete = isSoftDelete(config)
  return {
    ...(config as unknown as MysqlConfig),
    port,
    schema: String(config.database),
    softDelete,
  }
}
