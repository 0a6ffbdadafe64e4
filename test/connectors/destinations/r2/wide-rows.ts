import type { Cell, Column, RecordBatch } from '../../../../src/protocol/index.ts'
import type { Chunk } from '../../../../src/runtime/contract.ts'
import { batchOf } from './support.ts'

const decimal = (type: string) => ({ dialect: 'postgres', type })

/** Sixteen columns as an order table has them; some 250 bytes a row as text. */
export const WIDE: Column[] = [
  { name: 'id', type: 'integer' },
  { name: 'account', type: 'integer' },
  { name: 'quantity', type: 'integer' },
  { name: 'external_id', type: 'integer' },
  { name: 'name', type: 'string' },
  { name: 'color', type: 'string' },
  { name: 'email', type: 'string' },
  { name: 'comment', type: 'string' },
  { name: 'ratio', type: 'number' },
  { name: 'price', type: 'number', native: decimal('numeric(12,2)') },
  { name: 'exact', type: 'number', native: decimal('numeric(38,10)') },
  { name: 'active', type: 'boolean' },
  { name: 'day', type: 'date' },
  { name: 'created_at', type: 'timestamp_with_timezone' },
  { name: 'local_at', type: 'timestamp_without_timezone' },
  { name: 'details', type: 'object' },
]

const COLORS = ['red', 'green', 'blue']

const CELLS: ((i: number) => Cell)[] = [
  (i) => i,
  (i) => i % 1000,
  (i) => (i % 7 ? i * 3 : null),
  (i) => 9007199254740993n + BigInt(i),
  (i) => `user ${i}`,
  (i) => COLORS[i % 3] ?? null,
  (i) => `user${i}@example.com`,
  (i) => `The quick brown fox ${i} jumps over the lazy dog and runs on and on`,
  (i) => i / 7,
  (i) => `${i}.${10 + (i % 90)}`,
  (i) => `1234567890${i}.0123456789`,
  (i) => i % 3 === 0,
  (i) => `2024-0${1 + (i % 9)}-1${i % 10}`,
  (i) => `2024-01-02T03:04:${10 + (i % 50)}.${100000 + (i % 900000)}Z`,
  (i) => `2024-01-02T03:04:${10 + (i % 50)}.5`,
  (i) => `{"a":${i},"b":["x","y"]}`,
]

const wideBatch = (from: number, rows: number): RecordBatch =>
  batchOf(
    WIDE,
    CELLS.map((cell) => Array.from({ length: rows }, (_, i) => cell(from + i))),
  )

/** A chunk of `rows` rows in batches of 5000, twenty of which are made and then repeated. */
export function wideChunk(id: string, rows: number): Chunk {
  const batches = Array.from({ length: 20 }, (_, i) => wideBatch(i * 5000, 5000))
  return {
    id,
    body: repeated(batches, rows / 5000),
    end: () => ({ state: { rows }, complete: true }),
  }
}

async function* repeated(batches: RecordBatch[], times: number) {
  for (let i = 0; i < times; i++) yield batches[i % batches.length] as RecordBatch
}
