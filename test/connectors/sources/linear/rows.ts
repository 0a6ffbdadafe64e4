import type { JsonObject, JsonSchema } from '../../../../src/protocol/index.ts'
import { Collection, hourMs, uuid } from '../declarative/synthetic.ts'
import { rowOf } from '../declarative/synthetic-row.ts'

/** As Linear writes moments. */
export const moment = (n: number): string => new Date(hourMs(n)).toISOString()

/** Rows that exist since hour `n`; a change moves `updatedAt`. */
export function rowsOf(stream: string, schema: JsonSchema): Collection<JsonObject> {
  return new Collection<JsonObject>(
    5,
    (n) =>
      rowOf(schema, n, {
        id: uuid(`${stream} ${n}`),
        ...{ createdAt: moment(n), updatedAt: moment(n) },
      }),
    (row, at) => {
      row.updatedAt = moment(at)
    },
  )
}
