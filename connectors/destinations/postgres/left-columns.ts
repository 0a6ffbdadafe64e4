/**
 * Columns of a table that its stream no longer has: a row that is merged has null there, for what it
 * held before is not its value of now. What a database fills by itself is not touched.
 */
import type { Layout } from '../../../src/runtime/loading/layout.ts'
import { quoteLiteral } from './identifiers.ts'

/** Their names as a JSON array; null if there are none. */
export function leftColumns({ columns }: Layout, target: string): string {
  const own = columns.map(({ name }) => quoteLiteral(name)).join(', ')
  return `(SELECT json_agg(a.attname)::text FROM pg_attribute AS a
     WHERE a.attrelid = to_regclass(${quoteLiteral(target)}) AND a.attnum > 0
       AND NOT (a.attisdropped OR a.attnotnull OR a.atthasdef OR a.attidentity <> '')
       AND NOT starts_with(a.attname::text, '_airbyte_') AND a.attname NOT IN (${own}))`
}
