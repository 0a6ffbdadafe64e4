import type { AirbyteType, Cell, Column, RecordBatch, StreamKey } from '../protocol/index.ts'
import { exactJson } from './exact-json.ts'

export interface Pivoted {
  batch: RecordBatch
  /** How often each field that the schema does not know occurred. */
  unknownFields: Map<string, number>
}

/**
 * Records of an API as a batch: one array a column. Nested values become JSON text, big integers
 * (a parser that keeps them gives `bigint`) their exact digits. Values are not judged here:
 * `coerceToLimits` does that, knowing the destination.
 *
 * @param unbox what an object stands for that is a scalar of the parser's
 */
export function pivot(
  stream: StreamKey,
  records: readonly Record<string, unknown>[],
  columns: Column[],
  extractedAt: number,
  unbox: (value: object) => unknown = (value) => value,
): Pivoted {
  const unknownFields = new Map<string, number>()
  const { length } = records
  const plain = (value: unknown) => plainCell(value, unbox)
  const targets = new Map(
    columns.map(({ name, type }) => {
      const cellOf = JSON_TYPES.has(type) ? jsonCell : plain
      return [name, { cells: new Array<Cell>(length).fill(null), cellOf }]
    }),
  )
  for (let row = 0; row < length; row++) {
    const record = records[row] as Record<string, unknown>
    for (const name in record) {
      const target = targets.get(name)
      if (target) target.cells[row] = target.cellOf(record[name])
      else unknownFields.set(name, (unknownFields.get(name) ?? 0) + 1)
    }
  }
  const batch: RecordBatch = {
    ...{ kind: 'records', stream, schema: columns, length, extractedAt, jsonIsSound: true },
    columns: columns.map(({ name }) => targets.get(name)?.cells ?? []),
  }
  return { batch, unknownFields }
}

const JSON_TYPES = new Set<AirbyteType>(['object', 'array', 'unknown'])

function plainCell(value: unknown, unbox: (value: object) => unknown): Cell {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return value
    case 'object': {
      if (value === null) return null
      const inner = unbox(value)
      return inner === value ? jsonCell(value) : plainCell(inner, unbox)
    }
    default:
      return null
  }
}

const jsonCell = (value: unknown): Cell =>
  value === null || value === undefined ? null : (exactJson(value) ?? null)
