import { underSavepoint as savepoint } from '../../../src/runtime/loading/isolate.ts'
import { isValueError } from './fault.ts'
import type { SqlClient } from './session.ts'

/** Does the work, or leaves no trace of it and returns MySQL's objection to a value. */
export const underSavepoint = (client: SqlClient, work: () => Promise<void>) =>
  savepoint((sql) => client.execute(sql), isValueError, work)
