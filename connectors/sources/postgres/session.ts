import type pg from 'pg'
import type { ConnectorContext } from '../../../src/runtime/contract.ts'
import { closePostgres, connectPostgres } from '../../../src/runtime/postgres/client.ts'
import type { SourceConfig } from './config.ts'

/**
 * A session for reading. Key order must come from the key's index, not from sorting the rest of the
 * table for every statement; pages are read in their own order, so that reading again gives the same.
 */
export async function connectSource(
  ctx: ConnectorContext,
  config: SourceConfig,
): Promise<pg.Client> {
  return connectPostgres(ctx, config, {
    applicationName: 'airbyte source',
    session: {
      default_transaction_read_only: 'on',
      synchronize_seqscans: 'off',
      enable_sort: 'off',
    },
    // The planner's price of a disabled sort would set it off.
    sessionIfKnown: { jit: 'off' },
  })
}

/** Works with a session and ends it. */
export async function closing<T>(
  client: pg.Client,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  try {
    return await work(client)
  } finally {
    await closePostgres(client)
  }
}
