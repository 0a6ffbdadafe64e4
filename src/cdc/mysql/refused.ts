/** What stops a reader of the binlog: nothing that may hold rows is passed over. */
import { AirbyteError } from '../../protocol/index.ts'
import { EVENT } from './binlog-event.ts'

const REFRESH =
  'then refresh all streams of the connection: what was written so cannot be read from the log.'

export const statementFormat = (here: string) =>
  new AirbyteError('CDC_SETUP_REQUIRED', `A session wrote statements instead of rows, ${here}.`, {
    hint: `Run SET GLOBAL binlog_format = ROW and let no session change it; ${REFRESH}`,
  })

export const partialImage = (table: string) =>
  new AirbyteError('CDC_SETUP_REQUIRED', `The binlog has rows of ${table} without all columns.`, {
    hint: `Run SET GLOBAL binlog_row_image = FULL and let no session change it; ${REFRESH}`,
  })

export const unsureSign = (table: string, column: string, version: string) =>
  new AirbyteError(
    'TYPE_UNSUPPORTED',
    `The binlog of MySQL ${version} does not surely tell whether the column '${column}' of ${table} is unsigned, because a YEAR stands before it.`,
    {
      ...{ stream: table, field: column },
      hint: `Upgrade the server to MySQL 8.0.29 or later, or make the YEAR the last column of the table; ${REFRESH}`,
    },
  )

export const rolledBackTooMuch = (here: string) =>
  new AirbyteError(
    'UNSUPPORTED',
    `A transaction that was rolled back is in the binlog at ${here}, with more rows than can be taken back.`,
    {
      hint: 'Refresh all streams of the connection. The server writes such a transaction when it made or dropped a temporary table.',
    },
  )

export const rolledBackInXa = (here: string) =>
  new AirbyteError(
    'UNSUPPORTED',
    `The binlog has an XA transaction with rows that were rolled back, ${here}.`,
    {
      hint: 'The server writes them where the transaction wrote to a table without transactions too. Refresh all streams of the connection.',
    },
  )

const unknownEvent = (type: number, here: string) =>
  new AirbyteError(
    'UNSUPPORTED',
    `The binlog has an event of an unknown type (${type}), ${here}.`,
    {
      hint: 'It may hold rows, so it is not skipped. Report the version of the server, and refresh all streams of the connection.',
    },
  )

/** Events that are known to hold rows in a form that is not read here. */
const REFUSED: Record<number, ((here: string) => AirbyteError) | undefined> = {
  [EVENT.beginLoadQuery]: statementFormat,
  [EVENT.executeLoadQuery]: statementFormat,
  [EVENT.incident]: (here) =>
    new AirbyteError(
      'CDC_POSITION_LOST',
      `The server reports that its binlog lacks events ${here}.`,
    ),
  [EVENT.transactionPayload]: (here) =>
    new AirbyteError('CDC_SETUP_REQUIRED', `The binlog has compressed transactions ${here}.`, {
      hint: `Run SET GLOBAL binlog_transaction_compression = OFF; ${REFRESH}`,
    }),
}

/** Why an event of this type is not read. */
export const refusalOf = (type: number, here: string): AirbyteError =>
  REFUSED[type]?.(here) ?? unknownEvent(type, here)
