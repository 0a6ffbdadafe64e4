import type { Cell, Column, RecordBatch } from '../../protocol/index.ts'

/** The one column of normalization `raw`. */
const RAW_COLUMN: Column = { name: '_airbyte_data', type: 'object', nullable: false }

/**
 * Each row as the text of one JSON object, every digit kept; `columns` say what goes in. Cells of
 * JSON columns are taken as they are: `coerceToLimits` has checked them.
 */
export function toRaw(batch: RecordBatch, columns: Column[] = batch.schema): RecordBatch {
  const writers = columns.flatMap((column) => {
    const index = batch.schema.findIndex(({ name }) => name === column.name)
    const cells = batch.columns[index]
    return cells
      ? [{ prefix: `${JSON.stringify(column.name)}:`, cells, text: trustedTextOf(column) }]
      : []
  })
  const rows = new Array<Cell>(batch.length)
  for (let row = 0; row < batch.length; row++) {
    let json = '{'
    for (const { prefix, cells, text } of writers) {
      const cell = cells[row] ?? null
      json += `${json.length > 1 ? ',' : ''}${prefix}${cell === null ? 'null' : text(cell)}`
    }
    rows[row] = `${json}}`
  }
  return { ...batch, schema: [RAW_COLUMN], columns: [rows] }
}

/** One row as JSON text of `{column: value}`, whatever its values are; those of `concealed` masked. */
export function rowText(
  batch: RecordBatch,
  row: number,
  concealed: ReadonlySet<string> = new Set(),
): string {
  const fields = batch.schema.map((column, index) => {
    const cell = batch.columns[index]?.[row] ?? null
    const text = concealed.has(column.name) ? scalar : textOf(column)
    const shown = cell !== null && concealed.has(column.name) ? MASK : cell
    return `${JSON.stringify(column.name)}:${shown === null ? 'null' : text(shown)}`
  })
  return `{${fields.join(',')}}`
}

/** What stands where a value must not be seen. */
const MASK = '**********'

const JSON_TYPES: ReadonlySet<string> = new Set(['object', 'array', 'unknown'])

const trustedTextOf = (column: Column): CellText =>
  JSON_TYPES.has(column.type) ? String : textOf(column)

type CellText = (cell: Exclude<Cell, null>) => string

function textOf({ type }: Column): CellText {
  if (JSON_TYPES.has(type)) {
    return (cell) => (typeof cell === 'string' && isJson(cell) ? cell : scalar(cell))
  }
  if (type === 'number') {
    return (cell) => (typeof cell === 'string' && JSON_NUMBER.test(cell) ? cell : scalar(cell))
  }
  return scalar
}

const scalar: CellText = (cell) => {
  if (typeof cell === 'string') return JSON.stringify(cell)
  // JSON has no NaN and no infinities: they go as text.
  if (typeof cell === 'number' && !Number.isFinite(cell)) return `"${cell}"`
  return String(cell)
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
