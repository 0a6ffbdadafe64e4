import type pg from 'pg'
import { underSavepoint as savepoint } from '../../../src/runtime/loading/isolate.ts'

/** PostgreSQL refused a value, not the statement. */
export function isValueError(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && (/^22...$/.test(code) || VALUE_ERRORS.has(code))
}

/** Not null, check and exclusion constraints that the user put on the table; a key too long for its index. */
const VALUE_ERRORS = new Set(['23502', '23514', '23P01', '54000'])

/** Does the work, or leaves no trace of it and returns PostgreSQL's objection to a value. */
export const underSavepoint = (client: pg.Client, work: () => Promise<void>) =>
  savepoint((sql) => client.query(sql), isValueError, work)
