import { isValueError } from './fault.ts'
import type { SqlClient } from './session.ts'

/** Does the work, or leaves no trace of it and returns MySQL's objection to a value. */
export async function underSavepoint(
  client: SqlClient,
  work: () => Promise<void>,
): Promise<Error | null> {
  await client.execute('SAVEPOINT part')
  try {
    await work()
    await client.execute('RELEASE SAVEPOINT part')
    return null
  } catch (error) {
    if (!isValueError(error)) throw error
    await client.execute('ROLLBACK TO SAVEPOINT part')
    await client.execute('RELEASE SAVEPOINT part')
    return error
  }
}
