import { r2Loader } from '../../../../connectors/destinations/r2/loader.ts'
import { parseConfig } from '../../../../connectors/destinations/r2/spec.ts'
import type {
  Batch,
  Cell,
  Column,
  JsonObject,
  RecordBatch,
} from '../../../../src/protocol/index.ts'
import type { Chunk, Loader, ObjectStore, StreamPlan } from '../../../../src/runtime/contract.ts'

export const USERS: Column[] = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'name', type: 'string' },
]

export const planOf = (more: Partial<StreamPlan> = {}): StreamPlan => ({
  connectionId: 'c1',
  syncId: 7,
  stream: { name: 'users', namespace: 'public' },
  target: { namespace: 'public', table: 'users' },
  columns: USERS,
  mode: 'append',
  primaryKey: [['id']],
  cursorField: [],
  generationId: 1,
  minimumGenerationId: 0,
  normalization: 'basic',
  format: 'records',
  ...more,
})

export const open = (store: ObjectStore, plan = planOf(), format = 'Parquet'): Loader =>
  r2Loader(store, parseConfig({ format: { format_type: format } }), plan)

export function batchOf(
  schema: Column[],
  columns: Cell[][],
  more: Partial<RecordBatch> = {},
): RecordBatch {
  const length = columns[0]?.length ?? 0
  const extractedAt = 1_796_000_000_123
  return { kind: 'records', stream: 'public.users', schema, length, columns, extractedAt, ...more }
}

export const users = (...rows: [number, string | null][]) =>
  batchOf(USERS, [rows.map(([id]) => id), rows.map(([, name]) => name)])

export function chunkOf(id: string, batches: Batch[], state: JsonObject = { at: id }): Chunk {
  return { id, body: each(batches), end: () => ({ state, complete: false }) }
}

async function* each<T>(items: T[]) {
  yield* items
}

export async function rowsOf(loader: Loader, generation?: number): Promise<Cell[][]> {
  const rows: Cell[][] = []
  for await (const batch of loader.readBack?.(generation) ?? []) {
    if (batch.kind !== 'records') continue
    for (let row = 0; row < batch.length; row++) rows.push(batch.columns.map((c) => c[row] ?? null))
  }
  return rows
}
