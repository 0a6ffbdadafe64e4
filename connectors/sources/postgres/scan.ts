import {
  AirbyteError,
  type Batch,
  type RecordBatch,
  type StreamKey,
} from '../../../src/protocol/index.ts'
import type { Scanned } from '../../../src/runtime/database/checkpoints.ts'
import { type LeftOut, leftOutChange } from '../../../src/runtime/database/large-values.ts'
import { decodeCopyText, splitFields } from '../../../src/runtime/formats/pg-copy-text.ts'
import { copyOut } from '../../../src/runtime/postgres/copy-out.ts'
import { dropLastFields, lastRow } from '../../../src/runtime/postgres/copy-rows.ts'
import {
  decodeWithoutUnreadable,
  unreadableFields,
} from '../../../src/runtime/postgres/unreadable-text.ts'
import type { StreamReader } from './reader.ts'
import { columnSql, fromItem, type OrderKey } from './sql.ts'

export interface Scan {
  /** Conditions, all of which hold; empty ones are left out. */
  where: (string | undefined)[]
  /** Order of the rows; empty: as the database likes. */
  keys: OrderKey[]
  limit?: number
}

const RECORDS_PER_BATCH = 5000

/** Reads rows with COPY, in the form that the stream is configured for. */
export async function* scan(reader: StreamReader, { where, keys, limit }: Scan) {
  const { schema, columns, configured, config, key, ctx } = reader
  const visible = columns.map(({ name, type }) => type.expression(columnSql(name)))
  const fieldOfKey = keys.map(({ name }) =>
    columns.findIndex((column) => column.name === name && column.type.plain),
  )
  const hidden = keys.filter((_, i) => fieldOfKey[i] === -1).map(({ expression }) => expression)
  let nextHidden = visible.length
  const fields = fieldOfKey.map((field) => (field === -1 ? nextHidden++ : field))

  const conditions = where.filter(Boolean).map((condition) => `(${condition})`)
  const sql = [
    `COPY (SELECT ${[...visible, ...hidden].join(', ')} FROM ${fromItem(reader.relation)}`,
    conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '',
    keys.length > 0 ? `ORDER BY ${keys.map(({ expression }) => expression).join(', ')}` : '',
    limit ? `LIMIT ${limit}` : '',
    ') TO STDOUT',
  ].join(' ')

  const records = configured.format === 'records'
  const batchRows = Math.min(
    records ? RECORDS_PER_BATCH : Infinity,
    config.checkpoint_rows ?? Infinity,
  )
  for await (const { bytes, rows, leftOut } of copyOut(reader.client, sql, { batchRows })) {
    const unreadable = unreadableFields(bytes)
    if (unreadable?.some(({ row, field }) => row === rows - 1 && fields.includes(field)))
      throw unreadableKey(key)
    const last = splitFields(bytes, ...lastRow(bytes))
    const position = fields.map((field) => last[field] ?? '')
    const size = bytes.length
    const extractedAt = ctx.now()
    const selected = dropLastFields(bytes, hidden.length)
    const of = { stream: key, extractedAt }
    // Recorded changes have no place in COPY text.
    const batch: Batch =
      records || unreadable || leftOut
        ? withoutLarge(
            unreadable
              ? decodeWithoutUnreadable(selected, schema, unreadable, of)
              : decodeCopyText(selected, schema, of),
            leftOut,
          )
        : {
            kind: 'encoded',
            stream: key,
            schema,
            format: 'pg-copy-text',
            rows,
            bytes: selected,
            extractedAt,
          }
    yield { batch, rows, bytes: size, position } satisfies Scanned
  }
}

const unreadableKey = (stream: StreamKey) =>
  new AirbyteError('SOURCE_MISCONFIGURED', `A key of ${stream} is a text that is not UTF-8.`, {
    stream,
    hint: 'The read goes on from keys. Mend it: its database has no encoding (SQL_ASCII), or the text is not in it.',
  })

/** The batch, in which values that were too large to hold are null, and say so. */
function withoutLarge(batch: RecordBatch, leftOut: LeftOut[] = []): RecordBatch {
  const changes = leftOut.map(({ row, field, bytes }) =>
    leftOutChange(row, batch.schema[field]?.name ?? '', bytes),
  )
  return changes.length > 0 ? { ...batch, changes: [...(batch.changes ?? []), ...changes] } : batch
}
