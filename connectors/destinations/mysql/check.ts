import { randomUUID } from 'node:crypto'
import { AirbyteError } from '../../../src/protocol/index.ts'
import type { MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { MysqlServerError } from '../../../src/runtime/mysql/errors.ts'
import { qualified, quote } from '../../../src/runtime/mysql/sql.ts'
import { serverOf } from './server.ts'

/** Does what a sync does first, and takes it back: a table, a temporary table, a row, another shape. */
export async function probe(client: MysqlClient, schema: string, username: string): Promise<void> {
  // Refuses a server that is too old.
  await serverOf(client)
  const name = `_airbyte_check_${randomUUID().slice(0, 8)}`
  const table = qualified({ schema, name })
  const temporary = qualified({ schema, name: `${name}_rows` })
  try {
    await client.execute(`CREATE TABLE ${table} (probe INT) ENGINE = InnoDB`)
    await client.execute(`CREATE TEMPORARY TABLE ${temporary} (probe INT) ENGINE = InnoDB`)
    await client.execute(`INSERT INTO ${temporary} VALUES (1)`)
    await client.execute(`INSERT INTO ${table} SELECT probe FROM ${temporary}`)
    await client.execute(`UPDATE ${table} SET probe = 2`)
    await client.execute(`DELETE FROM ${table}`)
    await client.execute(`ALTER TABLE ${table} ADD COLUMN more INT, ADD UNIQUE KEY probe (probe)`)
    await client.execute(`DROP TEMPORARY TABLE ${temporary}`)
    await client.execute(`DROP TABLE ${table}`)
  } catch (error) {
    // Without the right to drop it, it stays.
    await client.execute(`DROP TABLE IF EXISTS ${table}`).catch(() => {})
    throw denied(error, schema, username) ?? error
  }
}

/** Access to a database, a table or an index is denied. */
const DENIED = new Set([1044, 1142, 1143, 1227])

function denied(error: unknown, schema: string, username: string): AirbyteError | undefined {
  if (!(error instanceof MysqlServerError) || !DENIED.has(error.errno)) return undefined
  return new AirbyteError('PERMISSION_DENIED', `MySQL: ${error.message} (${error.errno}).`, {
    field: 'config.database',
    hint: `Run: GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP, CREATE TEMPORARY TABLES ON ${quote(schema)}.* TO '${username}';`,
    cause: error,
  })
}
