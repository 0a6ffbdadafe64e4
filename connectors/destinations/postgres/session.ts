import type pg from 'pg'
import type { ConnectorContext } from '../../../src/runtime/contract.ts'
import {
  type Session as DatabaseSession,
  openSession as openDatabase,
} from '../../../src/runtime/loading/session.ts'
import { closePostgres, connectPostgres } from '../../../src/runtime/postgres/client.ts'
import type { PostgresConfig } from '../../../src/runtime/postgres/config.ts'
import { mapPostgresError } from '../../../src/runtime/postgres/errors.ts'

export type Session = DatabaseSession<pg.Client>

export const openSession = (
  ctx: ConnectorContext,
  config: PostgresConfig,
  stream?: string,
): Session =>
  openDatabase({
    async open(lost) {
      const client = await connectPostgres(ctx, config, { applicationName: 'airbyte destination' })
      client.once('end', lost)
      return client
    },
    close: closePostgres,
    execute: (client, sql) => client.query(sql),
    mapError: (error) => mapPostgresError(error, { ...config, stream }),
  })
