import { createHash } from 'node:crypto'
import {
  type Batch,
  type Column,
  type EncodedBatch,
  isDedup,
  type RecordBatch,
} from '../../protocol/index.ts'
import type {
  ChunkProof,
  DestinationCapabilities,
  RejectedRow,
  ValueLimits,
} from '../../runtime/contract.ts'
import { decodeCopyText, encodeCopyText } from '../../runtime/formats/pg-copy-text.ts'
import {
  applyMapping,
  coerceToLimits,
  flatColumns,
  flatten,
  mappedColumns,
  Nesting,
  noteUnknown,
  type PlannedMapping,
  toRaw,
} from '../normalization/index.ts'
import { addRows, emptyRowHash, formatRowHash } from '../row-hash.ts'
import { coalesced } from './coalesce.ts'
import type { PlannedStream } from './types.ts'

export interface PipelineOptions {
  /** Id of the chunk. */
  chunk: string
  /** Yield COPY text where possible: for R2, and for loaders that take it. */
  wire: boolean
  /** Keeps rows that cannot be moved; awaited before the chunk ends. Returns where they are. */
  saveRejects(rejects: RejectedRow[]): Promise<string | undefined>
}

/**
 * Brings a source's batches into the form that the loader takes, and measures them: the row hash and
 * the checksum are taken over the rows' COPY text, whatever form they travel in.
 */
export class ChunkPipeline {
  readonly #stream: PlannedStream
  readonly #capabilities: DestinationCapabilities
  /** Of the fields as they are read. */
  readonly #limits: ValueLimits
  readonly #options: PipelineOptions
  readonly #hash = emptyRowHash()
  readonly #checksum = createHash('sha256')
  /** Those that flattening begins with. */
  readonly #columns: Column[]
  readonly #nesting: Nesting | undefined
  #bytes = 0
  #nulled = 0
  #truncated = 0
  #filtered = 0
  readonly #unknown = new Set<string>()
  #rejects: RejectedRow[] = []
  #rejectsKey: string | undefined

  constructor(
    stream: PlannedStream,
    capabilities: DestinationCapabilities,
    options: PipelineOptions,
  ) {
    this.#stream = stream
    this.#capabilities = capabilities
    this.#options = options
    const { plan, flattened = [], mapping } = stream
    this.#columns = mapping ? mappedColumns(flattened, mapping) : flattened
    const becomesJson = plan.normalization === 'raw' || stream.flattened
    this.#limits = becomesJson ? { ...capabilities.limits, native: undefined } : capabilities.limits
    if (plan.children) {
      const { children } = plan
      const { limits } = capabilities
      this.#nesting = new Nesting({
        chunk: options.chunk,
        columns: this.#columns,
        children,
        limits,
      })
    }
  }

  async *run(body: AsyncIterable<Batch>): AsyncGenerator<Batch> {
    for await (const batch of coalesced(body)) {
      if (batch.kind === 'encoded' && this.#stream.passThrough) {
        this.#measure(batch.bytes)
        yield batch
      } else {
        yield* this.#convert(batch)
      }
    }
    this.#rejectsKey = await this.#options.saveRejects(this.#rejects)
  }

  /** Valid once `run` is exhausted. */
  proof(): ChunkProof {
    const unknown = new Set([...this.#unknown, ...(this.#nesting?.unknown ?? [])])
    return {
      rows: this.#hash.rows,
      bytes: this.#bytes,
      nulled: this.#nulled + (this.#nesting?.nulled ?? 0),
      ...(this.#nesting && { childRows: this.#nesting.childRows }),
      ...(this.#truncated > 0 ? { truncated: this.#truncated } : {}),
      ...(this.#filtered > 0 ? { filtered: this.#filtered } : {}),
      rejected: this.#rejects.length,
      rejectsKey: this.#rejectsKey,
      ...(unknown.size > 0 ? { unknownFields: [...unknown].slice(0, 100) } : {}),
      rowHash: formatRowHash(this.#hash),
      sha256: this.#checksum.copy().digest('hex'),
    }
  }

  *#convert(batch: Batch): Generator<Batch> {
    const { plan, mapping, flattened } = this.#stream
    const records = batch.kind === 'encoded' ? decode(batch) : batch
    const limits = this.#limits
    const columns = mapping?.columns ?? flattened ?? plan.columns
    const concealed = new Set(mapping?.hash)
    const fitted = coerceToLimits(records, columns, limits, keyFields(this.#stream), concealed)
    this.#count(fitted)
    for (const { change } of records.changes ?? [])
      this.#count({
        nulled: Number(change === 'NULLED'),
        truncated: Number(change === 'TRUNCATED'),
      })
    for (const field of fitted.unknownFields) noteUnknown(this.#unknown, field)
    this.#rejects.push(...fitted.rejects)
    const mapped = mapping ? this.#map(fitted.batch, mapping) : fitted.batch
    const flat = flattened ? this.#flatten(mapped) : mapped
    if (this.#nesting) {
      for (const part of this.#nesting.split(flat)) {
        const bytes = encodeCopyText(part)
        if (part.child === undefined) this.#measure(bytes)
        else this.#measureChild(bytes)
        yield part
      }
      return
    }
    const ready = plan.normalization === 'raw' ? toRaw(flat, plan.columns) : flat
    // Rows that nothing touched keep the bytes they came in.
    const untouched = batch.kind === 'encoded' && ready === records
    const bytes = untouched ? batch.bytes : encodeCopyText(ready)
    this.#measure(bytes)
    // Recorded changes have no place in COPY text: such batches stay columns, as do raw ones of a
    // change log, which a loader packs by itself.
    const isRawLog = ready.op && plan.normalization === 'raw'
    if (!this.#options.wire || ready.changes?.length || isRawLog) yield ready
    else if (untouched) yield batch
    else {
      const { stream, schema, length: rows, extractedAt, op } = ready
      const format = 'pg-copy-text' as const
      const encoded = { kind: 'encoded' as const, stream, schema, format, rows, bytes, extractedAt }
      yield op ? { ...encoded, op } : encoded
    }
  }

  #flatten(batch: RecordBatch): RecordBatch {
    const flat = flatten({ ...batch, schema: this.#columns })
    const columns = flatColumns(this.#columns)
    const fitted = coerceToLimits(flat.batch, columns, this.#capabilities.limits, [])
    for (const field of flat.unknownFields) noteUnknown(this.#unknown, field)
    this.#count(fitted)
    return fitted.batch
  }

  #map(batch: RecordBatch, mapping: PlannedMapping): RecordBatch {
    const mapped = applyMapping(batch, mapping)
    this.#filtered += mapped.filtered
    return mapped.batch
  }

  #count({ nulled, truncated }: { nulled: number; truncated: number }): void {
    this.#nulled += nulled
    this.#truncated += truncated
  }

  #measure(bytes: Uint8Array): void {
    addRows(this.#hash, bytes)
    this.#measureChild(bytes)
  }

  /** The row hash is that of the stream's own table, which has how many elements there are. */
  #measureChild(bytes: Uint8Array): void {
    this.#bytes += bytes.length
    this.#checksum.update(bytes)
  }
}

/** The loader's side of staging: COPY text back to columns for destinations that take columns. */
export async function* toLoaderForm(
  body: AsyncIterable<Batch>,
  capabilities: DestinationCapabilities,
): AsyncGenerator<Batch> {
  for await (const batch of body) {
    const takes = batch.kind === 'records' || capabilities.formats.includes(batch.format)
    yield takes ? batch : decode(batch as EncodedBatch)
  }
}

function decode(batch: EncodedBatch): RecordBatch {
  return decodeCopyText(batch.bytes, batch.schema, batch)
}

/** Top-level fields, as the source calls them, whose value may not be nulled: primary key and cursor. */
export function keyFields({ configured, plan }: PlannedStream): string[] {
  const { primaryKey, cursorField } = configured
  const dedup = isDedup(plan.mode) ? primaryKey : []
  return [...dedup, cursorField].flatMap((path) => path.slice(0, 1))
}
