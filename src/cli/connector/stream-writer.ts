import { ChunkPipeline } from '../../core/sync-engine/chunk-pipeline.ts'
import type { PlannedStream } from '../../core/sync-engine/types.ts'
import {
  type JsonObject,
  type RecordBatch,
  type RecordChange,
  toAirbyteError,
} from '../../protocol/index.ts'
import type {
  ConnectorContext,
  Destination,
  Loader,
  LoadResult,
  RejectedRow,
} from '../../runtime/contract.ts'
import { numberText } from '../../runtime/exact-json.ts'
import { pivot } from '../../runtime/pivot.ts'

/** A RECORD message's content. */
export interface IncomingRecord {
  data: Record<string, unknown>
  emitted_at: number
  meta?: { changes?: Omit<RecordChange, 'row'>[] }
}

/** What all streams of one write share. */
export interface WriteRun {
  ctx: ConnectorContext
  destination: Destination
  config: JsonObject
  fence: number
  /** Names the chunks of this run: what is sent again in another is loaded again. */
  id: string
}

export interface Flushed {
  rows: number
  rejected: number
}

const BATCH_ROWS = 1000

/** Collects a stream's records and loads them as chunks, each in one commit. */
export class StreamWriter {
  readonly stream: PlannedStream
  /** Bytes of the lines that wait for the next commit, and since when (epoch milliseconds). */
  bytes = 0
  since: number | undefined
  isComplete = false
  readonly #run: WriteRun
  readonly #warned = new Set<string>()
  #batches: RecordBatch[] = []
  #records: IncomingRecord[] = []
  #chunks = 0
  #loader: Loader | undefined

  constructor(stream: PlannedStream, run: WriteRun) {
    this.stream = stream
    this.#run = run
  }

  /** Makes the table, also of a stream that turns out to be empty. Connections are not kept. */
  async prepare(): Promise<void> {
    const loader = await this.#open()
    try {
      await loader.prepare(this.#run.fence)
    } finally {
      await this.close()
    }
  }

  add(record: IncomingRecord, bytes: number): void {
    this.since ??= this.#run.ctx.now()
    this.bytes += bytes
    if (this.#records.push(record) >= BATCH_ROWS) this.#toBatch()
  }

  /** Commits what was collected. */
  async flush(): Promise<Flushed> {
    this.#toBatch()
    const batches = this.#batches
    if (batches.length === 0) return { rows: 0, rejected: 0 }
    const { ctx } = this.#run
    const result = await this.#load(batches, false).catch((error: unknown) => {
      if (toAirbyteError(error).code !== 'VALUE_REJECTED') throw error
      ctx.log('warn', `${toAirbyteError(error).message} Loading row by row to find it.`)
      return this.#load(batches, true)
    })
    this.#chunks += 1
    this.#batches = []
    this.bytes = 0
    this.since = undefined
    return result
  }

  /** The stream was read to its end: what was written is what readers see. */
  async complete(): Promise<Flushed> {
    const flushed = await this.flush()
    await (await this.#open()).finish(this.#run.fence)
    this.isComplete = true
    await this.close()
    return flushed
  }

  async close(): Promise<void> {
    const loader = this.#loader
    this.#loader = undefined
    await loader?.close()
  }

  async #open(): Promise<Loader> {
    const { ctx, destination, config } = this.#run
    this.#loader ??= await destination.open(ctx, config, this.stream.plan)
    return this.#loader
  }

  #toBatch(): void {
    const records = this.#records
    this.#records = []
    if (records.length === 0) return
    const { key, plan } = this.stream
    const extractedAt = records.at(-1)?.emitted_at ?? this.#run.ctx.now()
    const rows = records.map(({ data }) => data)
    const { batch, unknownFields } = pivot(key, rows, plan.columns, extractedAt, numberText)
    const changes = records.flatMap(({ meta }, row) =>
      (meta?.changes ?? []).map((change) => ({ ...change, row })),
    )
    this.#batches.push(changes.length > 0 ? { ...batch, changes } : batch)
    this.#warnOf([...unknownFields.keys()])
  }

  #warnOf(fields: string[]): void {
    for (const field of fields) {
      if (this.#warned.has(field)) continue
      this.#warned.add(field)
      const { key } = this.stream
      this.#run.ctx.log('warn', `${key}: the field '${field}' is not in the catalog; left out.`)
    }
  }

  async #load(batches: RecordBatch[], isolateBadRows: boolean): Promise<Flushed> {
    const { ctx, destination, fence, id } = this.#run
    const { capabilities } = destination
    const rejects: RejectedRow[] = []
    const chunk = `${id}-${this.#chunks}`
    const pipeline = new ChunkPipeline(this.stream, capabilities, {
      chunk,
      wire: capabilities.formats.includes('pg-copy-text'),
      saveRejects: async (rows) => void rejects.push(...rows),
    })
    const loader = await this.#open()
    const result = await loader.load(
      {
        id: chunk,
        body: pipeline.run(each(batches)),
        end: () => ({ state: {}, complete: false, proof: pipeline.proof() }),
        isolateBadRows,
      },
      fence,
    )
    rejects.push(...result.rejects)
    this.#report(ctx, result, pipeline.proof().nulled, rejects)
    return { rows: result.rows, rejected: rejects.length }
  }

  #report(ctx: ConnectorContext, result: LoadResult, nulled: number, rejects: RejectedRow[]): void {
    const { key } = this.stream
    const nulls = nulled + (result.nulled ?? 0)
    if (nulls > 0) ctx.log('warn', `${key}: ${nulls} values that did not fit became null.`)
    const [first] = rejects
    if (!first) return
    const where = first.field === undefined ? '' : ` (${first.field})`
    ctx.log(
      'warn',
      `${key}: ${rejects.length} rows were rejected; the first: ${first.reason}${where}`,
    )
  }
}

async function* each<T>(items: T[]): AsyncGenerator<T> {
  yield* items
}
