import type pg from 'pg'
import { AirbyteError } from '../../protocol/index.ts'

/** Version 2 of pgoutput's protocol came with 14. */
const OLDEST = 140000

/**
 * Whether this server and this user can do logical replication at all. Throws CDC_SETUP_REQUIRED,
 * naming the setting or the statement that is missing.
 */
export async function checkServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<Facts>(FACTS_SQL)
  const facts = rows[0] as Facts
  if (Number(facts.version) < OLDEST) {
    throw required(`PostgreSQL ${facts.version_text} is too old for change data capture.`, {
      hint: 'Upgrade the server to PostgreSQL 14 or later, or choose the update method Standard.',
    })
  }
  if (facts.wal_level !== 'logical') {
    throw required(`The server's wal_level is '${facts.wal_level}'; it must be 'logical'.`, {
      hint: 'Set wal_level = logical at the server and restart it (Amazon RDS: rds.logical_replication = 1; Cloud SQL: cloudsql.logical_decoding = on).',
    })
  }
  if (facts.may_replicate !== 't') {
    throw required(`The user '${facts.username}' may not replicate.`, {
      field: 'config.username',
      hint: `Run ALTER ROLE "${facts.username}" REPLICATION; as a superuser (Amazon RDS: GRANT rds_replication TO "${facts.username}";).`,
    })
  }
}

interface Facts {
  version: string
  version_text: string
  wal_level: string
  username: string
  may_replicate: string
}

const FACTS_SQL = `SELECT current_setting('server_version_num') AS version,
  current_setting('server_version') AS version_text,
  current_setting('wal_level') AS wal_level, current_user AS username,
  r.rolreplication OR r.rolsuper OR EXISTS (
    SELECT FROM pg_catalog.pg_roles g
    WHERE g.rolname = 'rds_replication' AND pg_catalog.pg_has_role(r.oid, g.oid, 'MEMBER')
  ) AS may_replicate
FROM pg_catalog.pg_roles r WHERE r.rolname = current_user`

const required = (message: string, details: { hint: string; field?: string }) =>
  new AirbyteError('CDC_SETUP_REQUIRED', message, details)
