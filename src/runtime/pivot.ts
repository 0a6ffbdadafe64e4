import type { Cell, Column, RecordBatch, StreamKey } from '../protocol/index.ts'
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
 */
export function pivot(
  stream: StreamKey,
  records: readonly Record<string, unknown>[],
  columns: Column[],
  extractedAt: number,
): Pivoted {
  const unknownFields = new Map<string, number>()
  const known = new Set(columns.map(({ name }) => name))
  for (const record of records) {
    for (const name of Object.keys(record)) {
      if (!known.has(name)) unknownFields.set(name, (unknownFields.get(name) ?? 0) + 1)
    }
  }
  const batch: RecordBatch = {
    kind: 'records',
    stream,
    schema: columns,
    length: records.length,
    columns: columns.map(({ name, type }) => {
      const cellOf = type === 'object' || type === 'array' || type === 'unknown' ? json : plain
      return records.map((record) => (Object.hasOwn(record, name) ? cellOf(record[name]) : null))
    }),
    extractedAt,
  }
  return { batch, unknownFields }
}

function plain(value: unknown): Cell {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return value
    default:
      return value === null || value === undefined ? null : json(value)
  }
}

const json = (value: unknown): Cell =>
  value === null || value === undefined ? null : (exactJson(value) ?? null)
