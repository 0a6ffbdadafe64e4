import type { ConnectorContext } from '../../../src/runtime/contract.ts'
import { connectMysql, type MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { mapMysqlError } from '../../../src/runtime/mysql/errors.ts'
import type { SourceConfig } from './config.ts'

/**
 * Texts are sorted by the whole of them, where the server looks at 1024 bytes: a read goes on from the place
 * that it reached in that order. Of such long ones a buffer has to hold some.
 */
const SORTING = `SET SESSION max_sort_length = 262144,
  sort_buffer_size = CAST(GREATEST(@@sort_buffer_size, 8388608) AS UNSIGNED)`

/** A session that can change nothing, and sees nothing that is not committed: it might be taken back. */
export const connectSource = (ctx: ConnectorContext, config: SourceConfig) =>
  connectMysql(ctx, config, [
    'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY',
    SORTING,
  ])

/** Runs with a session of its own; every failure is mapped. */
export async function withSource<T>(
  ctx: ConnectorContext,
  config: SourceConfig,
  use: (client: MysqlClient) => Promise<T>,
): Promise<T> {
  const client = await connectSource(ctx, config)
  try {
    return await use(client)
  } catch (error) {
    throw mapMysqlError(error, config)
  } finally {
    await client.close()
  }
}
