import { AirbyteError } from '../../../src/protocol/index.ts'
import { shortHash } from '../../../src/runtime/loading/names.ts'
import { text } from '../../../src/runtime/mysql/sql.ts'
import type { Layout } from './layout.ts'
import type { Session } from './session.ts'

const WAIT_SECONDS = 60

/** Works on the table's shape while nobody else of ours does. The lock ends with the connection. */
export async function underLock<T>(
  session: Session,
  { schema, table, stream }: Layout,
  work: () => Promise<T>,
): Promise<T> {
  const name = text(`airbyte table ${shortHash(schema)} ${shortHash(table)}`)
  const [row] = await session.run((client) =>
    client.query(`SELECT GET_LOCK(${name}, ${WAIT_SECONDS})`),
  )
  if (row?.[0] !== '1')
    throw new AirbyteError(
      'TIMEOUT',
      `Another loader has been working on table ${schema}.${table} for more than ${WAIT_SECONDS} seconds.`,
      { stream },
    )
  try {
    return await work()
  } finally {
    // On a connection that broke there is no lock any more.
    await session.run((client) => client.query(`SELECT RELEASE_LOCK(${name})`)).catch(() => {})
  }
}
