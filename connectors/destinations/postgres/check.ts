import type pg from 'pg'
import { AirbyteError } from '../../../src/protocol/index.ts'
import { requireUtf8 } from './encoding.ts'
import { identifier, quote } from './identifiers.ts'
import { qualified } from './layout.ts'

const PROBE = '_airbyte_check'

/** Does what a sync does first, and rolls it back: schema, table, temporary table, a row. */
export async function probe(client: pg.Client, schemaName: string): Promise<void> {
  const schema = identifier(schemaName)
  const table = qualified(schema, PROBE)
  await requireUtf8(client)
  await client.query('BEGIN')
  try {
    const { rows } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema])
    if (rows.length === 0) await client.query(`CREATE SCHEMA ${quote(schema)}`)
    await client.query(`CREATE TABLE ${table} (probe int); INSERT INTO ${table} VALUES (1)`)
    await client.query(`CREATE TEMP TABLE "${PROBE}_temp" (probe int); DROP TABLE ${table}`)
  } catch (error) {
    throw denied(error, schema) ?? error
  } finally {
    await client.query('ROLLBACK')
  }
}

function denied(error: unknown, schema: string): AirbyteError | undefined {
  const { code, message } = error as { code?: string; message: string }
  if (code !== '42501') return undefined
  const hint = /database/.test(message)
    ? 'Grant CREATE and TEMPORARY on the database to this user, or name a schema that exists.'
    : `Run: GRANT USAGE, CREATE ON SCHEMA ${quote(schema)} TO the user of this destination.`
  return new AirbyteError('PERMISSION_DENIED', `PostgreSQL: ${message} (42501).`, {
    field: 'config.schema',
    hint,
    cause: error,
  })
}
