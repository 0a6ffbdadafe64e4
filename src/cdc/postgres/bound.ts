import type pg from 'pg'
import { type Lsn, parseLsn } from './position.ts'

/** Prefix of our own messages in the log. */
const MESSAGE_PREFIX = 'airbyte'

/**
 * The end of the log as it stands: everything committed before the call is before it. It is the place
 * of a message written for this purpose (nothing in any table), so that the log is certain to go on
 * beyond it and a quiet database reaches it too. On a standby, which cannot write, what was replayed.
 *
 * Rejects with pg's own errors: map them with `mapPostgresError`.
 */
export async function freezeBound(client: pg.Client): Promise<Lsn> {
  const { rows } = await client.query<{ lsn: string }>(BOUND_SQL)
  return parseLsn((rows[0] as { lsn: string }).lsn)
}

/** A commit of ours need not wait for standbys. */
const BOUND_SQL = `SELECT CASE WHEN pg_catalog.pg_is_in_recovery()
  THEN pg_catalog.pg_last_wal_replay_lsn()
  ELSE pg_catalog.pg_logical_emit_message(
    pg_catalog.set_config('synchronous_commit', 'local', true) = 'local', '${MESSAGE_PREFIX}', '')
  END AS lsn`
