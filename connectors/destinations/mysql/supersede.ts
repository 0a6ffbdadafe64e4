/**
 * Ending loaders that were superseded. The fence already keeps them from committing; but one that
 * hangs in the middle of a load holds locks that a swap or an ALTER TABLE would wait for.
 *
 * `_airbyte_loaders` has a row per connection that loads, with the name of a lock that this connection
 * holds as long as it lives: who holds it is the connection to end, and no other ever is.
 */
import { randomUUID } from 'node:crypto'
import type { MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { MysqlServerError } from '../../../src/runtime/mysql/errors.ts'
import { text } from '../../../src/runtime/mysql/sql.ts'
import { type Layout, nameOf } from './layout.ts'
import type { SqlClient } from './session.ts'
import { ofStream, STREAM_ID, streamId } from './stream-id.ts'

export const loaders = (layout: Layout) => nameOf(layout, '_airbyte_loaders')

export const createLoaders = (layout: Layout) => `
  CREATE TABLE IF NOT EXISTS ${loaders(layout)} (
    lock_name VARCHAR(64) CHARACTER SET ascii NOT NULL PRIMARY KEY,
    ${STREAM_ID},
    fence BIGINT NOT NULL,
    KEY (stream_id)
  )`

/** Under which fence a connection is known. */
const shown = new WeakMap<SqlClient, number>()

/** Lets others see whose connection this is, and under which fence it works. Not within a transaction. */
export async function showFence(client: MysqlClient, layout: Layout, fence: number): Promise<void> {
  if (shown.get(client) === fence) return
  const name = `airbyte ${randomUUID()}`
  await client.query(`SELECT GET_LOCK(${text(name)}, 0)`)
  await client.execute(
    `INSERT INTO ${loaders(layout)} (lock_name, stream_id, fence)
     VALUES (${text(name)}, ${text(streamId(layout))}, ${Number(fence)})`,
  )
  shown.set(client, fence)
}

/** Ends this stream's connections under lower fences. Only after the fence was taken. */
export async function endSuperseded(
  client: SqlClient,
  layout: Layout,
  fence: number,
): Promise<void> {
  const older = `${ofStream(layout)} AND fence < ${Number(fence)}`
  const found = await client.query(
    `SELECT IS_USED_LOCK(lock_name) AS thread FROM ${loaders(layout)}
     WHERE ${older} AND IS_USED_LOCK(lock_name) <> CONNECTION_ID()`,
  )
  for (const [thread] of found) {
    await client.execute(`KILL ${Number(thread)}`).catch((error) => {
      // It ended by itself.
      if (!(error instanceof MysqlServerError && error.errno === NO_SUCH_THREAD)) throw error
    })
  }
  await client.execute(`DELETE FROM ${loaders(layout)} WHERE ${older}`)
}

const NO_SUCH_THREAD = 1094
