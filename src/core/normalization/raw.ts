import type { Cell, Column, RecordBatch } from '../../protocol/index.ts'
import { type CellText, JSON_TYPES, textOf } from '../../runtime/row-text.ts'

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

const trustedTextOf = (column: Column): CellText =>
  JSON_TYPES.has(column.type) ? String : textOf(column)
