import { AirbyteError, type FieldRange } from '../../../src/protocol/index.ts'
import type { StreamReader } from './reader.ts'
import type { RelationColumn } from './relations.ts'
import { columnSql, literal } from './sql.ts'

/** The ends of a range in the type's own text: `today` as the day that it was, so that every slice reads the same. */
export type Range = Pick<FieldRange, 'from' | 'to'>

/** Rejects with VALIDATION_FAILED at `backfill.field`, `backfill.from` or `backfill.to`. */
export async function freezeRange(reader: StreamReader): Promise<Range | undefined> {
  const { range } = reader.configured
  if (!range) return undefined
  const column = rangeColumn(reader, range.field)
  return {
    ...(range.from !== undefined && { from: await endOf(reader, column, 'from', range.from) }),
    ...(range.to !== undefined && { to: await endOf(reader, column, 'to', range.to) }),
  }
}

/** The condition for the rows of a frozen range. */
export function rangeSql(reader: StreamReader, frozen: Range | undefined): string | undefined {
  const { range } = reader.configured
  if (!range || !frozen) return undefined
  const { name, literalType } = rangeColumn(reader, range.field)
  const conditions = [
    frozen.from !== undefined && `${columnSql(name)} >= ${literal(frozen.from, literalType)}`,
    frozen.to !== undefined && `${columnSql(name)} < ${literal(frozen.to, literalType)}`,
  ]
  return conditions.filter(Boolean).join(' AND ') || undefined
}

function rangeColumn({ relation, key }: StreamReader, field: string): RelationColumn {
  const column = relation.columns.find(({ name }) => name === field)
  if (column?.type.key && column.type.plain) return column
  const usable = relation.columns.filter(({ type }) => type.key && type.plain)
  throw new AirbyteError(
    'VALIDATION_FAILED',
    column
      ? `The column '${field}' is of a type (${column.literalType}) that has no ranges.`
      : `${key} has no column '${field}'.`,
    { field: 'backfill.field', didYouMean: usable.slice(0, 10).map(({ name }) => name) },
  )
}

/** SQLSTATE class of values that their type cannot hold. */
const DATA_EXCEPTION = /^22/

async function endOf(
  { client }: StreamReader,
  { name, literalType }: RelationColumn,
  end: 'from' | 'to',
  value: string,
): Promise<string> {
  try {
    const { rows } = await client.query(`SELECT ($1::text)::${literalType}::text AS value`, [value])
    return rows[0].value
  } catch (error) {
    const { code = '' } = error as { code?: string }
    if (!DATA_EXCEPTION.test(code)) throw error
    const message = `The value of backfill.${end} is no ${literalType}, the type of '${name}'.`
    throw new AirbyteError('VALIDATION_FAILED', message, { field: `backfill.${end}` })
  }
}
