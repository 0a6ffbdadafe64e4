import { coerceToLimits, toRaw } from '../../src/core/normalization/index.ts'
import {
  type Batch,
  type BatchFormat,
  type Cell,
  type Column,
  type JsonObject,
  type RecordBatch,
  type RecordChange,
  type RowOp,
  streamKey,
} from '../../src/protocol/index.ts'
import type {
  Chunk,
  ChunkEnd,
  ConnectorContext,
  Destination,
  Loader,
  StreamPlan,
} from '../../src/runtime/contract.ts'
import { decodeCopyText, encodeCopyText } from '../../src/runtime/formats/pg-copy-text.ts'
import { exactParse } from './canonical.ts'

export const COLUMNS: Column[] = [
  { name: 'id', type: 'integer' },
  { name: 'name', type: 'string' },
  { name: 'version', type: 'integer' },
]

let tables = 0

/** A plan for a table that no other test uses. */
export function planFor(overrides: Partial<StreamPlan> = {}): StreamPlan {
  tables += 1
  const table = `conformance_${process.pid}_${tables}`
  return {
    connectionId: `0190b6a5-5a4f-7cc3-8b1d-${String(tables).padStart(12, '0')}`,
    syncId: 1,
    stream: { name: table },
    target: { table },
    columns: COLUMNS,
    mode: 'append',
    primaryKey: [['id']],
    cursorField: ['version'],
    generationId: 1,
    minimumGenerationId: 0,
    normalization: 'basic',
    format: 'records',
    ...overrides,
  }
}

/** The same stream in its next generation; overwrite modes keep only that one. */
export const nextGeneration = (plan: StreamPlan): StreamPlan => ({
  ...plan,
  syncId: plan.syncId + 1,
  generationId: plan.generationId + 1,
  minimumGenerationId: plan.mode.startsWith('overwrite') ? plan.generationId + 1 : 0,
})

export interface ChunkOptions {
  complete?: boolean
  /** Awaited before the rows are given. */
  before?: () => Promise<void>
  /** Thrown after the rows. */
  failure?: Error
  op?: RowOp[]
  changes?: RecordChange[]
  columns?: Column[]
  /** Rows per batch; default: all in one. */
  batchRows?: number
}

/** A chunk as the engine makes it: fitted to the destination, in the plan's form. */
export function chunkOf(
  destination: Destination,
  plan: StreamPlan,
  id: string,
  rows: Cell[][],
  options: ChunkOptions = {},
): Chunk {
  const schema = options.columns ?? plan.columns
  const end: ChunkEnd = { state: { after: id }, complete: options.complete ?? false }
  async function* body(): AsyncGenerator<Batch> {
    await options.before?.()
    const step = options.batchRows ?? Math.max(1, rows.length)
    for (let from = 0; from < rows.length; from += step) {
      const batch: RecordBatch = {
        kind: 'records',
        stream: streamKey(plan.stream),
        schema,
        length: Math.min(step, rows.length - from),
        columns: schema.map((_, c) => rows.slice(from, from + step).map((row) => row[c] ?? null)),
        extractedAt: 1_700_000_000_000,
        ...(options.op ? { op: options.op.slice(from, from + step) } : {}),
        ...(options.changes?.length ? { changes: options.changes } : {}),
      }
      yield inForm(destination, plan, batch)
    }
    if (options.failure) throw options.failure
  }
  return { id: `${id}-${streamKey(plan.stream)}`, body: body(), end: () => end }
}

function inForm(destination: Destination, plan: StreamPlan, batch: RecordBatch): Batch {
  const { limits } = destination.capabilities
  const fitted = coerceToLimits(batch, plan.columns, limits, []).batch
  const ready = plan.normalization === 'raw' ? toRaw(fitted, plan.columns) : fitted
  // As in the engine: recorded changes have no place in COPY text, and a raw log is packed by its loader.
  const isRawLog = ready.op && plan.normalization === 'raw'
  if (plan.format === 'records' || isRawLog || ready.changes?.length) return ready
  return {
    kind: 'encoded',
    stream: ready.stream,
    schema: ready.schema,
    format: 'pg-copy-text',
    rows: ready.length,
    bytes: encodeCopyText(ready),
    extractedAt: ready.extractedAt,
    ...(ready.op ? { op: ready.op } : {}),
  }
}

/** Forms in which the suite can make chunks for a destination. */
export const formatsOf = (destination: Destination): BatchFormat[] =>
  destination.capabilities.formats.includes('pg-copy-text')
    ? ['records', 'pg-copy-text']
    : ['records']

export interface Opened {
  destination: Destination
  config: JsonObject
  ctx: ConnectorContext
}

/** Opens a loader for one piece of work, as each task of a sync does in its own isolate. */
export async function withLoader<T>(
  { destination, config, ctx }: Opened,
  plan: StreamPlan,
  work: (loader: Loader) => Promise<T>,
): Promise<T> {
  const loader = await destination.open(ctx, config, plan)
  try {
    return await work(loader)
  } finally {
    await loader.close()
  }
}

/** Loads whole generations: prepare, a chunk for each list of rows, finish. */
export async function loadAll(
  opened: Opened,
  plan: StreamPlan,
  chunks: Cell[][][],
  {
    fence = 1,
    finish = true,
    ...options
  }: ChunkOptions & { fence?: number; finish?: boolean } = {},
): Promise<void> {
  await withLoader(opened, plan, async (loader) => {
    await loader.prepare(fence)
    for (const [index, rows] of chunks.entries()) {
      const id = `g${plan.generationId}-c${index}`
      await loader.load(chunkOf(opened.destination, plan, id, rows, options), fence)
    }
    if (finish) await loader.finish(fence)
  })
}

/**
 * Visible rows as objects, in the order of their text; undefined where the destination keeps none.
 * Rows of normalization `raw` are parsed.
 */
export async function contents(
  opened: Opened,
  plan: StreamPlan,
): Promise<Record<string, unknown>[] | undefined> {
  return withLoader(opened, plan, async (loader) => {
    if (!loader.readBack) return undefined
    const rows: Record<string, unknown>[] = []
    for await (const batch of loader.readBack()) rows.push(...objectsOf(batch))
    return rows.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1))
  })
}

function objectsOf(batch: Batch): Record<string, unknown>[] {
  const records =
    batch.kind === 'records' ? batch : decodeCopyText(batch.bytes, batch.schema, batch)
  return Array.from({ length: records.length }, (_, row) => {
    const fields = records.schema.map(({ name }, c) => [name, records.columns[c]?.[row] ?? null])
    const object = Object.fromEntries(fields) as Record<string, unknown>
    const data = object._airbyte_data
    return typeof data === 'string' ? (exactParse(data) as Record<string, unknown>) : object
  })
}

const textOf = (row: Record<string, unknown>) =>
  Object.values(row)
    .map((value) => (typeof value === 'number' ? String(value).padStart(20, '0') : String(value)))
    .join('\u0001')

/** Rows as objects, as `contents` gives them. */
export const asObjects = (rows: Cell[][], columns: Column[] = COLUMNS) =>
  rows
    .map((row) => Object.fromEntries(columns.map(({ name }, c) => [name, row[c] ?? null])))
    .sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1))
