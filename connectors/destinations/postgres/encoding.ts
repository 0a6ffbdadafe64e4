import type pg from 'pg'
import { AirbyteError } from '../../../src/protocol/index.ts'

/** A character that the database lacks, a ledger or a schema that is not there: no such stream. */
const ABSENT = new Set(['22P05', '42P01', '3F000'])

/**
 * Rejects with VALIDATION_FAILED where a letter may have no place in the database: its encoding is
 * another than UTF8, or none (SQL_ASCII).
 *
 * @param isLoaded whether it has the stream already, from before such databases were refused: it goes on
 */
export async function requireUtf8(
  client: pg.Client,
  isLoaded: () => Promise<boolean> = async () => false,
): Promise<void> {
  const { rows } = await client.query<{ database: string; encoding: string }>(
    "SELECT current_database() AS database, current_setting('server_encoding') AS encoding",
  )
  const { database, encoding } = rows[0] ?? { database: '', encoding: '' }
  if (encoding === 'UTF8') return
  const goesOn = await isLoaded().catch((error: { code?: string }) => {
    if (ABSENT.has(error.code ?? '')) return false
    throw error
  })
  if (goesOn) return
  const message = `The database '${database}' is in ${encoding}; a destination needs one in UTF8.`
  throw new AirbyteError('VALIDATION_FAILED', message, {
    field: 'config.database',
    hint: 'The encoding of a database cannot be altered. Make another with CREATE DATABASE … ENCODING UTF8 TEMPLATE template0; and name that one.',
  })
}
