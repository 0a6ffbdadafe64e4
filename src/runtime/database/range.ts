import { AirbyteError, type FieldRange, type StreamKey } from '../../protocol/index.ts'

/** The ends of a range in the type's own text: `today` as the day that it was, so that every slice reads the same. */
export type Range = Pick<FieldRange, 'from' | 'to'>

/** A table of which a range is read, and what its database has to say of its columns. */
export interface Ranged<C extends { name: string }> {
  stream: StreamKey
  range: FieldRange | undefined
  columns: C[]
  /** Whether values of the column's type have an order that a literal can be compared in. */
  hasRanges(column: C): boolean
  /** As the database calls it. */
  typeOf(column: C): string
  /** The value as the type prints it; undefined: it is none of this type. */
  textOf(column: C, value: string): Promise<string | undefined>
  nameSql(column: C): string
  literal(column: C, value: string): string
}

/** Rejects with VALIDATION_FAILED at `backfill.field`, `backfill.from` or `backfill.to`. */
export async function freezeRange<C extends { name: string }>(
  ranged: Ranged<C>,
): Promise<Range | undefined> {
  const { range } = ranged
  if (!range) return undefined
  const column = rangeColumn(ranged, range.field)
  return {
    ...(range.from !== undefined && { from: await endOf(ranged, column, 'from', range.from) }),
    ...(range.to !== undefined && { to: await endOf(ranged, column, 'to', range.to) }),
  }
}

/** The condition for the rows of a frozen range. */
export function rangeSql<C extends { name: string }>(
  ranged: Ranged<C>,
  frozen: Range | undefined,
): string | undefined {
  const { range, nameSql, literal } = ranged
  if (!range || !frozen) return undefined
  const column = rangeColumn(ranged, range.field)
  const conditions = [
    frozen.from !== undefined && `${nameSql(column)} >= ${literal(column, frozen.from)}`,
    frozen.to !== undefined && `${nameSql(column)} < ${literal(column, frozen.to)}`,
  ]
  return conditions.filter(Boolean).join(' AND ') || undefined
}

function rangeColumn<C extends { name: string }>(ranged: Ranged<C>, field: string): C {
  const { columns, hasRanges, typeOf, stream } = ranged
  const column = columns.find(({ name }) => name === field)
  if (column && hasRanges(column)) return column
  throw new AirbyteError(
    'VALIDATION_FAILED',
    column
      ? `The column '${field}' is of a type (${typeOf(column)}) that has no ranges.`
      : `${stream} has no column '${field}'.`,
    {
      field: 'backfill.field',
      didYouMean: columns
        .filter(hasRanges)
        .slice(0, 10)
        .map(({ name }) => name),
    },
  )
}

async function endOf<C extends { name: string }>(
  { textOf, typeOf }: Ranged<C>,
  column: C,
  end: 'from' | 'to',
  value: string,
): Promise<string> {
  const found = await textOf(column, value)
  if (found !== undefined) return found
  const message = `The value of backfill.${end} is no ${typeOf(column)}, the type of '${column.name}'.`
  throw new AirbyteError('VALIDATION_FAILED', message, { field: `backfill.${end}` })
}
