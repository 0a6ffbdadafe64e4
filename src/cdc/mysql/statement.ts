import { Buffer } from 'node:buffer'
import { type BinlogEvent, EVENT } from './binlog-event.ts'
import { goneColumns } from './gone-columns.ts'
import { ALTER, otherRows, type Renewed } from './other-rows.ts'
import { inflated } from './row-events.ts'
import { NAME, TABLE, tableIn } from './table-name.ts'
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
const TRUNCATE = new RegExp(`^TRUNCATE\\s+(?:TABLE\\s+)?${TABLE}`, 'i')
/**
 * A table that is made has no rows, whatever one of its name had before. IF NOT EXISTS is in the log where
 * the table was there, too.
 */
const CREATE = new RegExp(`^CREATE\\s+(?:OR\\s+REPLACE\\s+)?TABLE\\s+(?!IF\\s+NOT\\s)${TABLE}`, 'i')
const CREATE_MISSING = new RegExp(`^CREATE\\s+TABLE\\s+IF\\s+NOT\\s+EXISTS\\s+${TABLE}`, 'i')
const DROP = /^DROP\s+TABLES?\s+(?:IF\s+EXISTS\s+)?/i
const DATABASE_GONE = new RegExp(
  `^(?:DROP|CREATE\\s+OR\\s+REPLACE)\\s+(?:DATABASE|SCHEMA)\\s+(?:IF\\s+EXISTS\\s+)?${NAME}`,
  'i',
)
const LISTED = new RegExp(`(?:^|,)\\s*${TABLE}`, 'g')
const SAVEPOINT = new RegExp(
  `^(SAVEPOINT|ROLLBACK\\s+(?:WORK\\s+)?TO(?:\\s+SAVEPOINT)?)\\s+${NAME}`,
  'i',
)
/** What a server writes when it forgets the rows of a MEMORY table. */
const DELETE_ALL = new RegExp(`^DELETE FROM ${TABLE}\\s*$`, 'i')
/** Rows of the past, which nobody reads. */
const DELETE_HISTORY = /^DELETE\s+HISTORY\b/i
const CHANGES_ROWS = /^(?:INSERT|UPDATE|DELETE|REPLACE|LOAD|MERGE|CALL|WITH)\b/i

export type Meaning =
  | { kind: 'begin' | 'commit' | 'rollback' | 'rows' | 'other' }
  | { kind: 'truncate'; schema: string; name: string }
  /** Makes a table, if there is none of its name. */
  | { kind: 'made'; schema: string; name: string }
  /** Tables are gone, or all of a database. */
  | { kind: 'dropped'; gone: { schema: string; name: string }[] }
  | { kind: 'databaseGone'; schema: string }
  /** Tables have other rows than before, which are not in the log. */
  | ({ kind: 'otherRows' } & Renewed)
  /** Columns of a table have these names no more; others may have them. */
  | { kind: 'goneColumns'; schema: string; name: string; columns: string[] }
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
    const renewed = otherRows(database, text)
    if (renewed) return { kind: 'otherRows', ...renewed }
    const altered = ALTER.exec(text)
    const columns = altered ? goneColumns(text.slice(altered[0].length)) : []
    if (altered && columns.length > 0)
      return { kind: 'goneColumns', ...tableIn(altered, 1, database), columns }
    const told = meaningOfTables(database, text)
    if (told) return told
    return { kind: CHANGES_ROWS.test(text) && !DELETE_HISTORY.test(text) ? 'rows' : 'other' }
  }
  return { kind: 'truncate', ...tableIn(truncated, 1, database) }
}

/** What a statement does to tables as such. */
function meaningOfTables(database: string, text: string): Meaning | undefined {
  const made = CREATE_MISSING.exec(text)
  if (made) return { kind: 'made', ...tableIn(made, 1, database) }
  const [drop] = DROP.exec(text) ?? []
  if (drop !== undefined) {
    const listed = text.slice(drop.length).matchAll(LISTED)
    return { kind: 'dropped', gone: [...listed].map((match) => tableIn(match, 1, database)) }
  }
  const gone = DATABASE_GONE.exec(text)
  return gone ? { kind: 'databaseGone', schema: tableIn(gone, 1, database).name } : undefined
}

const XA_KINDS = { START: 'xaStart', COMMIT: 'xaCommit', ROLLBACK: 'xaRollback' } as const

function meaningOfXa(text: string): Meaning {
  const [, word] = /^XA\s+(START|COMMIT|ROLLBACK)\b/.exec(text) ?? []
  const xid = xidOfText(text)
  if (!word || xid === undefined) return { kind: 'other' }
  return { kind: XA_KINDS[word as keyof typeof XA_KINDS], xid }
}
