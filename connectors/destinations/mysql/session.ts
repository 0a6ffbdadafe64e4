import type { ConnectorContext } from '../../../src/runtime/contract.ts'
import {
  type Session as DatabaseSession,
  openSession as openDatabase,
} from '../../../src/runtime/loading/session.ts'
import { connectMysql, type MysqlClient } from '../../../src/runtime/mysql/client.ts'
import type { MysqlConfig } from '../../../src/runtime/mysql/config.ts'
import { mapMysqlError } from '../../../src/runtime/mysql/errors.ts'

export type Session = DatabaseSession<MysqlClient>

/** What reads and writes need; a rehearsal has another that only writes down. */
export type SqlClient = Pick<MysqlClient, 'query' | 'execute'>

/**
 * Whatever the server is set to, a value that does not fit is an error and not another value, statements
 * change all rows that they name, keys are looked at, and a transaction sees what was committed.
 */
const SETTINGS = [
  'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE',
  'SET SESSION sql_safe_updates = 0, unique_checks = 1, foreign_key_checks = 1',
  "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO'",
]

/** A session that writes. */
async function connectDestination(
  ctx: ConnectorContext,
  config: MysqlConfig,
): Promise<MysqlClient> {
  const client = await connectMysql(ctx, config, SETTINGS, true)
  // Not every table of a stream has a key. Who may not say so is told where a table is refused.
  if (!client.mariadb)
    await client.execute('SET SESSION sql_require_primary_key = OFF').catch(() => {})
  return client
}

export const openSession = (ctx: ConnectorContext, config: MysqlConfig, stream?: string): Session =>
  openDatabase({
    async open(lost) {
      const client = await connectDestination(ctx, config)
      client.socket.once('close', lost)
      return client
    },
    close: (client) => client.close(),
    execute: (client, sql) => client.execute(sql),
    mapError: (error) => mapMysqlError(error, { ...config, stream }),
  })
