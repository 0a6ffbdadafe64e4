import { Buffer } from 'node:buffer'
import { type BinlogEvent, EVENT } from './binlog-event.ts'
import { inflated } from './row-events.ts'
import { xidOfText } from './xa.ts'

/** A statement in the log. */
interface LoggedStatement {
  database: string
  sql: string
}

/** What the statement of an event does to rows; MariaDB may have compressed it. */
export const meaningOfEvent = (event: BinlogEvent): Meaning =>
  meaningOf(readStatement(event.type === EVENT.queryCompressed ? inflatedStatement(event) : event))

/** As a statement that is not compressed. */
function inflatedStatement(event: BinlogEvent): BinlogEvent {
  const { bytes, start, end } = event
  const head = 13 + bytes.readUInt16LE(start + 11) + (bytes[start + 8] as number) + 1
  const whole = Buffer.concat([
    bytes.subarray(start, start + head),
    inflated(bytes.subarray(start + head, end)),
  ])
  return { ...event, bytes: whole, start: 0, end: whole.length }
}

/** @see https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Query__event.html */
function readStatement({ bytes, start, end }: BinlogEvent): LoggedStatement {
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
/**
 * A table that is made has no rows, whatever one of its name had before. IF NOT EXISTS is in the log where
 * the table was there, too.
 */
const CREATE = new RegExp(
  `^CREATE\\s+(?:OR\\s+REPLACE\\s+)?TABLE\\s+(?!IF\\s+NOT\\s)${NAME}(?:\\s*\\.\\s*${NAME})?`,
  'i',
)
const SAVEPOINT = new RegExp(
  `^(SAVEPOINT|ROLLBACK\\s+(?:WORK\\s+)?TO(?:\\s+SAVEPOINT)?)\\s+${NAME}`,
  'i',
)
/** What a server writes when it forgets the rows of a MEMORY table. */
const DELETE_ALL = new RegExp(`^DELETE FROM ${NAME}(?:\\s*\\.\\s*${NAME})?\\s*$`, 'i')
/** Rows of the past, which nobody reads. */
const DELETE_HISTORY = /^DELETE\s+HISTORY\b/i
const CHANGES_ROWS = /^(?:INSERT|UPDATE|DELETE|REPLACE|LOAD|MERGE|CALL|WITH)\b/i

export type Meaning =
  | { kind: 'begin' | 'commit' | 'rollback' | 'rows' | 'other' }
  | { kind: 'truncate'; schema: string; name: string }
  /** A place in the transaction, and its end up to there. */
  | { kind: 'savepoint' | 'rollbackTo'; name: string }
  /** Of an XA transaction: its first phase begins, or its second decides. */
  | { kind: 'xaStart' | 'xaCommit' | 'xaRollback'; xid: string }

/** What a statement does to rows. In a binlog of rows none changes any but TRUNCATE and the like. */
export function meaningOf({ database, sql }: LoggedStatement): Meaning {
  const text = sql.replace(COMMENTS, '')
  const word = /^\w+/.exec(text)?.[0]?.toUpperCase()
  if (word === 'BEGIN') return { kind: 'begin' }
  if (word === 'COMMIT') return { kind: 'commit' }
  const [, , quoted, plain] = SAVEPOINT.exec(text) ?? []
  const name = quoted?.replaceAll('``', '`') ?? plain
  if (name !== undefined)
    return { kind: word === 'ROLLBACK' ? 'rollbackTo' : 'savepoint', name: name.toLowerCase() }
  if (word === 'ROLLBACK') return { kind: 'rollback' }
  if (word === 'XA') return meaningOfXa(text)
  const truncated = TRUNCATE.exec(text) ?? DELETE_ALL.exec(text) ?? CREATE.exec(text)
  if (!truncated) {
    return { kind: CHANGES_ROWS.test(text) && !DELETE_HISTORY.test(text) ? 'rows' : 'other' }
  }
  const [first, second] = [nameOf(truncated, 1), nameOf(truncated, 3)]
  return second === undefined
    ? { kind: 'truncate', schema: database, name: first ?? '' }
    : { kind: 'truncate', schema: first ?? '', name: second }
}

const XA_KINDS = { START: 'xaStart', COMMIT: 'xaCommit', ROLLBACK: 'xaRollback' } as const

function meaningOfXa(text: string): Meaning {
  const [, word] = /^XA\s+(START|COMMIT|ROLLBACK)\b/.exec(text) ?? []
  const xid = xidOfText(text)
  if (!word || xid === undefined) return { kind: 'other' }
  return { kind: XA_KINDS[word as keyof typeof XA_KINDS], xid }
}

const nameOf = (match: RegExpExecArray, at: number) =>
  match[at]?.replaceAll('``', '`') ?? match[at + 1]
