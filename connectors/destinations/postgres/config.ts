import { AirbyteError, type JsonObject } from '../../../src/protocol/index.ts'
import { isSoftDelete } from '../../../src/runtime/loading/deletion-mode.ts'
import type { Settings } from '../../../src/runtime/loading/layout.ts'
import type { PostgresConfig } from '../../../src/runtime/postgres/config.ts'

export interface DestinationConfig extends PostgresConfig, Settings {}

const REQUIRED = ['host', 'database', 'username'] as const

/** Fills defaults; VALIDATION_FAILED names the first field that is missing. */
export function parseConfig(config: JsonObject): DestinationConfig {
  for (const name of REQUIRED)
    if (typeof config[name] !== 'string' || config[name] === '')
      throw new AirbyteError('VALIDATION_FAILED', `The destination's ${name} is missing.`, {
        field: `config.${name}`,
      })
  const port = Number(config.port ?? 5432)
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new AirbyteError('VALIDATION_FAILED', 'The port is not a number from 1 to 65535.', {
      field: 'config.port',
    })
  const schema =
    typeof config.schema === 'string' && config.schema !== '' ? config.schema : 'public'
  const softDelete = isSoftDelete(config)
  return { ...(config as unknown as PostgresConfig), port, schema, softDelete }
}
