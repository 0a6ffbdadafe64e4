/** What MySQL says of a value that it refuses, and of which. */
import { AirbyteError } from '../../../src/protocol/index.ts'
import type { MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { MysqlServerError } from '../../../src/runtime/mysql/errors.ts'
import type { Layout } from './layout.ts'

/** Null, duplicate, out of range, truncated, of another type, too long, a check or foreign key of the owner. */
const VALUE_ERRORS = new Set([
  ...[1048, 1062, 1118, 1264, 1265, 1292, 1364, 1366, 1367, 1406, 1411, 1416, 1452, 1644],
  ...[3140, 3156, 3819, 3903, 4025],
])

/** A row that is larger than a statement may be. */
export class TooLong extends Error {
  readonly column: string

  constructor(column: string, maxPacket: number) {
    super(`The row is longer than max_allowed_packet (${maxPacket} bytes)`)
    this.column = column
  }
}

/** MySQL refused a value, not the statement. */
export const isValueError = (error: unknown): error is Error =>
  error instanceof TooLong || (error instanceof MysqlServerError && VALUE_ERRORS.has(error.errno))

/**
 * The first of the last statement's warnings that tells of a value that was bent, as an error. A server
 * keeps as few of them as `max_error_count` says: of those that it does not tell the worst is thought.
 *
 * @param count how many there were
 */
export async function warned(client: MysqlClient, count: number): Promise<Error | undefined> {
  const rows = await client.query('SHOW WARNINGS')
  const [, , told] = rows.find(([, errno]) => Number(errno) !== UNSAFE_TO_REPLICATE) ?? []
  const message = told ?? (rows.length < count ? UNTOLD : undefined)
  return message == null ? undefined : new MysqlServerError(DATA_TRUNCATED, '01000', message)
}

const UNTOLD =
  'A value did not fit, and the server keeps too few warnings (max_error_count) to say which'
const DATA_TRUNCATED = 1265
/** Told of UUID() by servers whose binlog has statements. */
const UNSAFE_TO_REPLICATE = 1592

/** A value error of a bulk load, for the engine to answer with `isolateBadRows`. */
function valueRejected(layout: Layout, error: Error): AirbyteError {
  const { stream } = layout
  const column = columnAtFault(layout, error)
  return new AirbyteError(
    'VALUE_REJECTED',
    `MySQL refused a value of stream '${stream}'${column ? `, column '${column}'` : ''}: ${error.message}.`,
    { stream, ...(column === undefined ? {} : { field: column }), cause: error },
  )
}

/** Throws what a load failed with, a value error as the engine's answer to it wants it. */
export function refused(layout: Layout, error: unknown): never {
  throw isValueError(error) ? valueRejected(layout, error) : error
}

/** The table's column that the message names. */
export function columnAtFault({ columns }: Layout, error: Error): string | undefined {
  if (error instanceof TooLong) return error.column
  const named = columns.filter(
    ({ name }) =>
      error.message.includes(`column '${name}'`) ||
      error.message.includes(`.\`${name.replaceAll('`', '``')}\``) ||
      error.message.includes(`Column '${name}'`),
  )
  // Of `a` and `a' at row 1, 'b` the longer one is meant.
  return named.sort((a, b) => b.name.length - a.name.length)[0]?.name
}
