import {
  AirbyteError,
  type Cell,
  type Column,
  type Literal,
  type RecordBatch,
  type RowCondition,
} from '../../protocol/index.ts'
import { compareCells } from '../../runtime/cell-order.ts'
import { literalCell } from './literal.ts'

/** Whether a row of the batch fulfils the condition. */
export type RowTest = (row: number) => boolean

type Comparison = Extract<RowCondition, { op: 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte' }>

/** By the sign of the comparison. */
const HOLDS: Record<Comparison['op'], (order: number) => boolean> = {
  eq: (order) => order === 0,
  ne: (order) => order !== 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
}

/**
 * A condition over the columns of one batch.
 *
 * @throws VALIDATION_FAILED naming a field that the batch does not have, or whose column has no such value
 */
export function rowTest(condition: RowCondition, batch: RecordBatch): RowTest {
  if ('all' in condition) {
    const tests = condition.all.map((part) => rowTest(part, batch))
    return (row) => tests.every((test) => test(row))
  }
  if ('any' in condition) {
    const tests = condition.any.map((part) => rowTest(part, batch))
    return (row) => tests.some((test) => test(row))
  }
  if ('not' in condition) {
    const test = rowTest(condition.not, batch)
    return (row) => !test(row)
  }
  const { column, cells } = columnOf(condition.field, batch)
  if (condition.op === 'is_null' || condition.op === 'not_null') {
    const wantsNull = condition.op === 'is_null'
    return (row) => ((cells[row] ?? null) === null) === wantsNull
  }
  if (condition.op === 'in') {
    const values = condition.value.map((value) => literalCell(column, value, FIELD))
    return (row) => {
      const cell = cells[row] ?? null
      return cell !== null && values.some((value) => compareCells(column, cell, value) === 0)
    }
  }
  const { op, value } = condition as Comparison
  const holds = HOLDS[op]
  const wanted = literalCell(column, value, FIELD)
  return (row) => {
    const cell = cells[row] ?? null
    return cell !== null && holds(compareCells(column, cell, wanted))
  }
}

const FIELD = 'mapping.filter'

/** The values that a condition compares fields with. */
export function comparisonsOf(condition: RowCondition): { field: string; values: Literal[] }[] {
  if ('all' in condition) return condition.all.flatMap(comparisonsOf)
  if ('any' in condition) return condition.any.flatMap(comparisonsOf)
  if ('not' in condition) return comparisonsOf(condition.not)
  const { field } = condition
  return 'value' in condition ? [{ field, values: [condition.value].flat() }] : []
}

/** The fields that a condition looks at. */
export function fieldsOf(condition: RowCondition): string[] {
  if ('all' in condition) return condition.all.flatMap(fieldsOf)
  if ('any' in condition) return condition.any.flatMap(fieldsOf)
  if ('not' in condition) return fieldsOf(condition.not)
  return [condition.field]
}

function columnOf(field: string, batch: RecordBatch): { column: Column; cells: Cell[] } {
  const index = batch.schema.findIndex(({ name }) => name === field)
  const column = batch.schema[index]
  if (column) return { column, cells: batch.columns[index] ?? [] }
  throw new AirbyteError('VALIDATION_FAILED', `The filter names '${field}', which is no column.`, {
    field: FIELD,
    stream: batch.stream,
  })
}
