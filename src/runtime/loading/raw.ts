import type { Cell, Column, RecordBatch } from '../../protocol/index.ts'
import { RAW_DATA } from './layout.ts'

const JSON_TEXT = new Set(['object', 'array', 'unknown'])

/** Rows as one JSON object each, in the single column `_airbyte_data`. Numbers keep every digit. */
export function packRaw(batch: RecordBatch): RecordBatch {
  const names = batch.schema.map(({ name }) => JSON.stringify(name))
  const printers = batch.schema.map(printer)
  const cells: string[] = []
  for (let row = 0; row < batch.length; row++) {
    const members = names.map((name, c) => {
      const cell = batch.columns[c]?.[row] ?? null
      return `${name}: ${cell === null ? 'null' : printers[c]?.(cell)}`
    })
    cells.push(`{${members.join(', ')}}`)
  }
  return { ...batch, schema: [RAW_DATA], columns: [cells] }
}

function printer({ type }: Column): (cell: Exclude<Cell, null>) => string {
  if (JSON_TEXT.has(type)) return String
  if (type === 'boolean') return String
  if (type === 'integer' || type === 'number')
    return (cell) => (IS_NUMBER.test(String(cell)) ? String(cell) : JSON.stringify(String(cell)))
  return (cell) => JSON.stringify(String(cell))
}

/** What JSON takes as a number; NaN and infinities become strings. */
const IS_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
