import type pg from 'pg'
import type { FollowedTable } from '../../../../src/cdc/postgres/index.ts'
import type { JsonObject } from '../../../../src/protocol/index.ts'
import type { ConnectorContext } from '../../../../src/runtime/contract.ts'
import { connectPostgres } from '../../../../src/runtime/postgres/client.ts'
import { mapPostgresError } from '../../../../src/runtime/postgres/errors.ts'
import type { LogPlace } from '../../../../src/runtime/source-log.ts'
import type { SourceConfig } from '../config.ts'
import { closing } from '../session.ts'

/** What was set up at the server. */
export interface Setup {
  slot: string
  publication: string
  publications: string[]
  incarnations: Record<string, string>
  tables: FollowedTable[]
  /** The database's own types that columns of these tables have: see `TypeVersions`. */
  types?: JsonObject
  /** Ours to drop. */
  madeSlot: boolean
  madePublication: boolean
}

export const setupOf = (place: LogPlace) => place.setup as unknown as Setup

/** A session that may write; every failure is mapped. */
export async function withClient<T>(
  ctx: ConnectorContext,
  config: SourceConfig,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await connectPostgres(ctx, config, { applicationName: 'airbyte cdc setup' })
  return closing(client, (session) =>
    work(session).catch((error: unknown) => {
      throw mapPostgresError(error, config)
    }),
  )
}
