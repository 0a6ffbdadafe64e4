import type { BinlogEvent } from './binlog-event.ts'

/** A statement in the log. */
export interface LoggedStatement {
  database: string
  sql: string
}

/** @see https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Query__event.html */
export function readStatement({ bytes, start, end }: BinlogEvent): LoggedStatement {
  const databaseLength = bytes[start + 8] as number
  const variables = bytes.readUInt16LE(start + 11)
  const database = start + 13 + variables
  const sql = database + databaseLength + 1
  return {
    database: bytes.toString('utf8', database, database + databaseLength),
    sql: bytes.toString('utf8', sql, end),
  }
}

const COMMENTS = /^(?:\s|\/\*(?!!)[\s\S]*?\*\/|--[^\n]*\n|#[^\n]*\n)+/
const NAME = '(?:`((?:[^`]|``)+)`|([\\w$\\u0080-\\uffff]+))'
const TRUNCATE = new RegExp(`^TRUNCATE\\s+(?:TABLE\\s+)?${NAME}(?:\\s*\\.\\s*${NAME})?`, 'i')
/** What a server writes when it forgets the rows of a MEMORY table. */
const DELETE_ALL = new RegExp(`^DELETE FROM ${NAME}(?:\\s*\\.\\s*${NAME})?\\s*$`, 'i')
/** Rows of the past, which nobody reads. */
const DELETE_HISTORY = /^DELETE\s+HISTORY\b/i
const CHANGES_ROWS = /^(?:INSERT|UPDATE|DELETE|REPLACE|LOAD|MERGE|CALL|WITH)\b/i

export type Meaning =
  | { kind: 'begin' | 'commit' | 'rollback' | 'rows' | 'other' }
  | { kind: 'truncate'; schema: string; name: string }

/** What a statement does to rows. In a binlog of rows none changes any but TRUNCATE. */
export function meaningOf({ database, sql }: LoggedStatement): Meaning {
  const text = sql.replace(COMMENTS, '')
  const word = /^\w+/.exec(text)?.[0]?.toUpperCase()
  if (word === 'BEGIN') return { kind: 'begin' }
  if (word === 'COMMIT') return { kind: 'commit' }
  if (word === 'ROLLBACK' && !/^ROLLBACK\s+(?:WORK\s+)?TO\b/i.test(text))
    return { kind: 'rollback' }
  const truncated = TRUNCATE.exec(text) ?? DELETE_ALL.exec(text)
  if (!truncated) {
    return { kind: CHANGES_ROWS.test(text) && !DELETE_HISTORY.test(text) ? 'rows' : 'other' }
  }
  const [first, second] = [nameOf(truncated, 1), nameOf(truncated, 3)]
  return second === undefined
    ? { kind: 'truncate', schema: database, name: first ?? '' }
    : { kind: 'truncate', schema: first ?? '', name: second }
}

const nameOf = (match: RegExpExecArray, at: number) =>
  match[at]?.replaceAll('``', '`') ?? match[at + 1]
