import { setTimeout as sleep } from 'node:timers/promises'
import { AirbyteError, type Batch, rowsOf, streamKey } from '../../../src/protocol/index.ts'
import {
  type Chunk,
  type ConnectorContext,
  isReplayId,
  type Loader,
  type RejectedRow,
  type StreamPlan,
} from '../../../src/runtime/contract.ts'
import { decodeCopyText } from '../../../src/runtime/formats/pg-copy-text.ts'
import { rejectedRow } from '../../../src/runtime/row-text.ts'
import { type DevNullConfig, dialedFailure, type Moment } from './config.ts'
import { generationOf, type Ledger, recordChunk, rowsOfChunk, type StreamLedger } from './ledger.ts'

export function devNullLoader(
  ctx: ConnectorContext,
  config: DevNullConfig,
  plan: StreamPlan,
  ledger: Ledger,
): Loader {
  const stream = streamKey(plan.stream)
  const overwrites = plan.mode === 'overwrite' || plan.mode === 'overwrite_dedup'

  function guard(current: StreamLedger, fence: number): void {
    if (fence < current.fence) {
      const message = `Fence ${fence} of ${stream} was superseded by ${current.fence}.`
      throw new AirbyteError('FENCE_LOST', message, { stream })
    }
    current.fence = fence
  }

  /** Throws the dialled failure if this is its moment, and counts it. */
  async function dial(when: Moment, at: { row?: number; chunk?: number } = {}): Promise<void> {
    const { failAt } = config
    if (failAt?.when !== when) return
    if (failAt.chunk !== undefined && failAt.chunk !== at.chunk) return
    if (failAt.row !== undefined && (at.row === undefined || at.row < failAt.row)) return
    const { times } = failAt
    const due = times === undefined || (await ledger.update((c) => c.struck++ < times))
    if (due) throw dialedFailure(failAt, when, stream)
  }

  /** Reads the body to its end; answers with what would have been stored. */
  async function swallow(chunk: Chunk, before: number, chunkNumber: number) {
    let rows = 0
    const rejects: RejectedRow[] = []
    for await (const batch of chunk.body) {
      ctx.signal.throwIfAborted()
      rejects.push(...rejectsOf(batch, rows, config.rejectEvery))
      rows += rowsOf(batch)
      const row = before + rows
      if (config.failAt?.row !== undefined) await dial('load', { row, chunk: chunkNumber })
      if (config.millisPerRecord) {
        await sleep(config.millisPerRecord * rowsOf(batch), undefined, { signal: ctx.signal })
      }
    }
    return { rows: rows - rejects.length, rejects }
  }

  return {
    async prepare(fence) {
      const last = await ledger.update((current) => {
        guard(current, fence)
        return generationOf(current, plan.generationId).last
      })
      await dial('prepare')
      return last
    },

    async load(chunk, fence) {
      const current = await ledger.read()
      guard(current, fence)
      const generation = generationOf(current, plan.generationId)
      const holders = isReplayId(chunk.id) ? Object.values(current.generations) : [generation]
      const holder = holders.find(({ ends }) => ends[chunk.id])
      const known = holder?.ends[chunk.id]
      if (holder && known) {
        return { duplicate: true, rows: rowsOfChunk(holder, chunk.id), end: known, rejects: [] }
      }

      const chunkNumber = generation.chunks + 1
      const { rows, rejects } = await swallow(chunk, generation.rows, chunkNumber)
      if (config.millisPerChunk) {
        await sleep(config.millisPerChunk, undefined, { signal: ctx.signal })
      }
      if (config.failAt?.row === undefined) await dial('load', { chunk: chunkNumber })
      await chunk.keepRejects?.(rejects)
      const end = chunk.end()
      const stored = await ledger.update((newest) => {
        guard(newest, fence)
        const target = generationOf(newest, plan.generationId)
        const loaded = target.ends[chunk.id]
        if (!loaded) recordChunk(target, { chunkId: chunk.id, end, rows, fence })
        return loaded
      })
      await dial('answer', { chunk: chunkNumber })
      return stored
        ? { duplicate: true, rows: 0, end: stored, rejects: [] }
        : { duplicate: false, rows, end, rejects }
    },

    async count() {
      const { visible, generations } = await ledger.read()
      if (!overwrites) {
        const all = Object.values(generations)
        return all.length === 0 ? null : all.reduce((sum, { rows }) => sum + rows, 0)
      }
      return visible === null ? null : (generations[visible]?.rows ?? 0)
    },

    async finish(fence) {
      await dial('finish')
      await ledger.update((current) => {
        guard(current, fence)
        generationOf(current, plan.generationId)
        current.visible = plan.generationId
        const oldest = overwrites ? plan.generationId : plan.minimumGenerationId
        for (const id of Object.keys(current.generations)) {
          if (Number(id) < oldest) delete current.generations[id]
        }
      })
    },

    async abort(fence) {
      await dial('abort')
      await ledger.update((current) => {
        guard(current, fence)
        const hidden = overwrites && current.visible !== plan.generationId
        if (hidden) delete current.generations[plan.generationId]
      })
    },

    async close() {},
  }
}

function rejectsOf(batch: Batch, rowsBefore: number, every: number | undefined): RejectedRow[] {
  if (every === undefined) return []
  const isText = batch.kind === 'encoded' && batch.format === 'pg-copy-text'
  const records = isText ? decodeCopyText(batch.bytes, batch.schema) : batch
  if (records.kind !== 'records') return []
  const rejects: RejectedRow[] = []
  for (let row = 0; row < records.length; row++) {
    if ((rowsBefore + row + 1) % every === 0) {
      const reason = `dev-null rejects one row in ${every}`
      rejects.push(rejectedRow(records, row, { reason }))
    }
  }
  return rejects
}
