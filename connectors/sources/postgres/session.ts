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
  const client = await connectPostgres(ctx, config, {
    applicationName: 'airbyte source',
    session: {
      default_transaction_read_only: 'on',
      synchronize_seqscans: 'off',
      enable_sort: 'off',
    },
  })
  // Settings that not every version has. The planner's price of a disabled sort would set off the JIT.
  await client.query("SELECT set_config(name, 'off', false) FROM pg_settings WHERE name IN ('jit')")
  return client
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
