import { createHash } from 'node:crypto'
import type { Batch, EncodedBatch, RecordBatch } from '../../protocol/index.ts'
import type { DestinationCapabilities, RejectedRow } from '../../runtime/contract.ts'
import { decodeCopyText, encodeCopyText } from '../../runtime/formats/pg-copy-text.ts'
import { coerceToLimits, toRaw } from '../normalization/index.ts'
import { addRows, emptyRowHash, formatRowHash } from '../row-hash.ts'
import type { PlannedStream } from './types.ts'

/** What a chunk's rows amounted to on their way to the loader. */
export interface ChunkTotals {
  rows: number
  bytes: number
  nulled: number
  rejects: RejectedRow[]
  rowHash: string
  /** Of the canonical bytes. */
  sha256: string
}

/**
 * Brings a source's batches into the form that the loader takes, and measures them: the row hash and
 * the checksum are taken over the rows' COPY text, whatever form they travel in.
 */
export class ChunkPipeline {
  readonly #stream: PlannedStream
  readonly #capabilities: DestinationCapabilities
  /** True: yield COPY text where possible (for R2, and for loaders that take it). */
  readonly #wire: boolean
  readonly #hash = emptyRowHash()
  readonly #checksum = createHash('sha256')
  #bytes = 0
  #nulled = 0
  #rejects: RejectedRow[] = []

  constructor(stream: PlannedStream, capabilities: DestinationCapabilities, wire: boolean) {
    this.#stream = stream
    this.#capabilities = capabilities
    this.#wire = wire
  }

  async *run(body: AsyncIterable<Batch>): AsyncGenerator<Batch> {
    for await (const batch of body) {
      if (batch.kind === 'encoded' && this.#passesThrough(batch)) {
        this.#measure(batch.bytes)
        yield batch
      } else {
        yield this.#convert(batch.kind === 'encoded' ? decode(batch) : batch)
      }
    }
  }

  totals(): ChunkTotals {
    return {
      rows: this.#hash.rows,
      bytes: this.#bytes,
      nulled: this.#nulled,
      rejects: this.#rejects,
      rowHash: formatRowHash(this.#hash),
      sha256: this.#checksum.copy().digest('hex'),
    }
  }

  #passesThrough(batch: EncodedBatch): boolean {
    return (
      this.#stream.plan.format === batch.format && this.#stream.configured.format === batch.format
    )
  }

  #convert(batch: RecordBatch): Batch {
    const { plan } = this.#stream
    const keys = keyFields(this.#stream)
    const fitted = coerceToLimits(batch, plan.columns, this.#capabilities.limits, keys)
    this.#nulled += fitted.nulled
    this.#rejects.push(...fitted.rejects)
    const ready = plan.normalization === 'raw' ? toRaw(fitted.batch, plan.columns) : fitted.batch
    const bytes = encodeCopyText(ready)
    this.#measure(bytes)
    // Changes and delete marks have no place in COPY text: such batches stay columns.
    if (!this.#wire || ready.changes?.length || ready.op) return ready
    return {
      kind: 'encoded',
      stream: ready.stream,
      schema: ready.schema,
      format: 'pg-copy-text',
      rows: ready.length,
      bytes,
      extractedAt: ready.extractedAt,
    }
  }

  #measure(bytes: Uint8Array): void {
    this.#bytes += bytes.length
    addRows(this.#hash, bytes)
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
  return {
    ...decodeCopyText(batch.bytes, batch.schema),
    stream: batch.stream,
    extractedAt: batch.extractedAt,
  }
}

/** Top-level fields whose value may not be nulled: primary key and cursor. */
export function keyFields(stream: PlannedStream): string[] {
  const { primaryKey, cursorField } = stream.plan
  const dedup = stream.plan.mode.endsWith('dedup') ? primaryKey : []
  return [...dedup, cursorField].flatMap((path) => path.slice(0, 1))
}
