import type { Scanned } from '../../../src/runtime/database/checkpoints.ts'
import { RecordBuilder } from '../../../src/runtime/mysql/record-builder.ts'
import { fieldHex, fieldText, type RowBlock } from '../../../src/runtime/mysql/rows.ts'
import { qualified, quote } from '../../../src/runtime/mysql/sql.ts'
import type { StreamReader } from './reader.ts'
import type { SourceColumn } from './tables.ts'

export interface Scan {
  /** Conditions, all of which hold; empty ones are left out. */
  where: (string | undefined)[]
  /** Order of the rows; empty: as the database likes. */
  keys: SourceColumn[]
  /** The order is that of the primary key, whose index is then to be used. */
  byPrimary?: boolean
  limit?: number
}

/** Reads rows of one statement as record batches. */
export async function* scan(
  reader: StreamReader,
  { where, keys, byPrimary, limit }: Scan,
): AsyncGenerator<Scanned> {
  const { columns, schema, configured, config, key, ctx, client, table } = reader
  const hidden = keys.filter((wanted) => !columns.includes(wanted))
  const all = [...columns, ...hidden]
  const fields = keys.map((wanted) => all.indexOf(wanted))
  const conditions = where.filter(Boolean).map((condition) => `(${condition})`)
  const order = keys.map(({ name }) => quote(name)).join(', ')
  const sql = [
    `SELECT ${all.map(({ name, type }) => type.expression(quote(name))).join(', ')}`,
    `FROM ${qualified(table)}`,
    byPrimary && !table.view ? 'FORCE INDEX (PRIMARY)' : '',
    conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '',
    order ? `ORDER BY ${order}` : '',
    limit ? `LIMIT ${limit}` : '',
  ].join(' ')

  const builder = new RecordBuilder(
    key,
    schema.map((column, i) => ({ column, kind: (columns[i] as SourceColumn).type.kind })),
    new Set([...configured.primaryKey, configured.cursorField].flatMap(([name]) => name ?? [])),
    config.checkpoint_rows,
  )
  let position: string[] = []
  const take = (): Scanned => {
    const { rows, bytes } = builder
    return { batch: builder.take(ctx.now()), rows, bytes, position }
  }
  for await (const block of client.rows(sql)) {
    for (let row = 0; row < block.rows; ) {
      row = builder.append(block, row)
      position = keys.map((wanted, i) => positionOf(wanted, block, row - 1, fields[i] as number))
      if (builder.full) yield take()
    }
  }
  if (builder.rows > 0) yield take()
}

/** As `literal` takes it. */
const positionOf = ({ type }: SourceColumn, block: RowBlock, row: number, field: number) =>
  (type.kind === 'binary' ? fieldHex : fieldText)(block, row, field) ?? ''
