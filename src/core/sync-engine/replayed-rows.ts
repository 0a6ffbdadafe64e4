import type { Cell, Column, RecordBatch, RecordChange, RowOp } from '../../protocol/index.ts'
import { exactJson, numberText, parseExactJson } from '../../runtime/exact-json.ts'
import { JSON_TYPES } from '../../runtime/row-text.ts'
import type { Reject } from './reject-lines.ts'
import type { PlannedStream } from './types.ts'

/** Rows of a batch: what is rejected is a small part of a chunk. */
const ROWS = 1000

/** Rejected rows as a batch again, and those that cannot be one. */
export interface Replayed {
  batches: RecordBatch[]
  keptBack: Reject[]
}

/**
 * Rejected rows as they were before they were rejected.
 *
 * @param isMapped the destination refused them: what the connection does to rows is done to them
 */
export function replayedRows(
  { key, plan, mapping, flattened }: PlannedStream,
  rejects: Reject[],
  { isMapped, extractedAt }: { isMapped: boolean; extractedAt: number },
): Replayed {
  const columns = isMapped ? plan.columns : (mapping?.columns ?? flattened ?? plan.columns)
  const names = new Set(columns.map(({ name }) => name))
  const keptBack: Reject[] = []
  const rows: { reject: Reject; values: Values }[] = []
  for (const reject of rejects) {
    const values = valuesOf(reject, isMapped)
    // Elements of a row that was refused went with it.
    const isPart = isMapped && plan.children !== undefined
    const gone = isMapped ? Object.keys(values).find((name) => !names.has(name)) : undefined
    if (reject.masked) keptBack.push({ ...reject, reason: maskedReason(reject.masked) })
    else if (isPart) keptBack.push({ ...reject, reason: PART_REASON })
    else if (gone) keptBack.push({ ...reject, reason: goneReason(gone) })
    else rows.push({ reject, values })
  }
  const batches: RecordBatch[] = []
  for (let at = 0; at < rows.length; at += ROWS) {
    const part = rows.slice(at, at + ROWS)
    const changes = part.flatMap(({ reject }, row) => unchangedOf(reject, row))
    const op = part.map(({ reject }): RowOp => reject.op ?? 'u')
    batches.push({
      ...{ kind: 'records', stream: key, schema: columns, length: part.length, extractedAt },
      columns: columns.map((column) =>
        part.map(({ values }) => cellOf(values[column.name], column)),
      ),
      ...(op.some((one) => one !== 'u') ? { op } : {}),
      ...(changes.length > 0 ? { changes } : {}),
      jsonIsSound: true,
    })
  }
  return { batches, keptBack }
}

type Values = Record<string, unknown>

/** In raw form a row that came to the destination is one column, which holds all the others. */
function valuesOf({ row }: Reject, isMapped: boolean): Values {
  const values = parseExactJson(row) as Values
  const raw = isMapped ? values._airbyte_data : undefined
  if (raw === undefined) return values
  return (typeof raw === 'string' ? parseExactJson(raw) : raw) as Values
}

const maskedReason = (fields: string[]) =>
  `it cannot be loaded again: ${fields.join(', ')} is hashed, and the value was not kept`
const PART_REASON =
  'it cannot be loaded again: its arrays are tables of their own, and their elements were not kept'
const goneReason = (field: string) =>
  `it cannot be loaded again: the connection no longer makes the column '${field}'`

const unchangedOf = ({ unchanged = [] }: Reject, row: number): RecordChange[] =>
  unchanged.map((field) => ({ row, field, change: 'UNCHANGED', reason: 'SOURCE_UNCHANGED' }))

function cellOf(value: unknown, { type }: Column): Cell {
  if (value === null || value === undefined) return null
  if (JSON_TYPES.has(type)) return exactJson(value) ?? null
  if (typeof value === 'object') {
    const text = numberText(value)
    return typeof text === 'string' ? text : (exactJson(value) ?? null)
  }
  if (type === 'binary' && typeof value === 'string' && PG_HEX.test(value)) return base64(value)
  return value as Cell
}

/** As PostgreSQL writes bytes into JSON; no base64 begins so. */
const PG_HEX = /^\\x(?:[0-9a-f]{2})*$/
const base64 = (hex: string) => Buffer.from(hex.slice(2), 'hex').toString('base64')
