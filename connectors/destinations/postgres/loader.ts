import type pg from 'pg'
import { AirbyteError, type Batch, toAirbyteError } from '../../../src/protocol/index.ts'
import type { Chunk, ConnectorContext, Loader, LoadResult } from '../../../src/runtime/contract.ts'
import { quote } from './identifiers.ts'
import {
  type Isolated,
  loadIsolated,
  MAX_REJECTS,
  tooManyRejects,
  valueRejected,
} from './isolate.ts'
import { GENERATION_ID, type Layout, qualified } from './layout.ts'
import {
  forgetGeneration,
  forgetStream,
  position,
  prune,
  readHead,
  record,
  refuseLowerFence,
  showGeneration,
  takeFence,
} from './ledger.ts'
import { createIncoming, merge } from './merge.ts'
import { prepareSchema, prepareStream, writeTable } from './prepare.ts'
import { readRows } from './read-back.ts'
import { isValueError } from './savepoint.ts'
import type { Session } from './session.ts'
import { encode, Sink, type SinkTable } from './sink.ts'
import { showFence } from './supersede.ts'
import { showHidden } from './swap.ts'
import { inspect, setMetadata } from './tables.ts'
import { pruneTombstones } from './tombstones.ts'

/** Writes one stream into one table. Each method is one transaction. */
export function createLoader(ctx: ConnectorContext, session: Session, layout: Layout): Loader {
  const target = qualified(layout.schema, layout.table)
  const exists = async (client: pg.Client) =>
    (await inspect(client, layout.schema, layout.table)) !== null

  return {
    async prepare(fence) {
      await session.transaction((client) => prepareSchema(client, layout))
      return session.transaction((client) => prepareStream(client, layout, fence, ctx.log))
    },

    load: (chunk, fence) => loadChunk(session, layout, chunk, fence),

    count: () =>
      session.run(async (client) => {
        if (!(await exists(client))) return null
        const { rows } = await client.query<{ n: string }>(`SELECT count(*) AS n FROM ${target}`)
        return Number(rows[0]?.n)
      }),

    finish: (fence) =>
      session.transaction(async (client) => {
        await takeFence(client, layout, fence)
        const head = await readHead(client, layout)
        if (head?.visible !== layout.plan.generationId) {
          if (layout.hidden) await showHidden(client, layout, layout.hidden)
          else await dropOldGenerations(client, layout)
          await showGeneration(client, layout)
        }
        await prune(client, layout)
        await pruneTombstones(client, layout)
      }),

    abort: (fence) =>
      session.transaction(async (client) => {
        await takeFence(client, layout, fence)
        const head = await readHead(client, layout)
        if (!layout.hidden || head?.visible === layout.plan.generationId) return
        await client.query(`DROP TABLE IF EXISTS ${qualified(layout.schema, layout.hidden)}`)
        await forgetGeneration(client, layout)
      }),

    release: () =>
      session.transaction(async (client) => {
        if (layout.hidden) {
          await client.query(`DROP TABLE IF EXISTS ${qualified(layout.schema, layout.hidden)}`)
        }
        await forgetStream(client, layout)
      }),

    async *readBack(generationId) {
      if (await session.run(exists))
        yield* session.stream((client) => readRows(client, layout, generationId))
    },

    close: () => session.close(),
  }
}

async function dropOldGenerations(client: pg.Client, layout: Layout): Promise<void> {
  const { minimumGenerationId } = layout.plan
  if (minimumGenerationId > 0)
    await client.query(
      `DELETE FROM ${qualified(layout.schema, layout.table)} WHERE ${quote(GENERATION_ID)} < $1`,
      [minimumGenerationId],
    )
}

/** Thrown to roll back a chunk that the ledger has. */
class Duplicate extends Error {}

async function loadChunk(
  session: Session,
  layout: Layout,
  chunk: Chunk,
  fence: number,
): Promise<LoadResult> {
  try {
    return await session.transaction((client) => loadRows(client, layout, chunk, fence))
  } catch (error) {
    if ((error as Error).cause instanceof Duplicate)
      return session.run((client) => duplicateOf(client, layout, chunk))
    if (toAirbyteError(error).code === 'CONNECTION_LOST')
      await session.run((client) => refuseLowerFence(client, layout, fence)).catch(preferFenceLost)
    throw error
  }
}

/** A connection is also lost when a newer loader ended it: that is FENCE_LOST, not to be retried. */
function preferFenceLost(error: unknown): void {
  if (toAirbyteError(error).code === 'FENCE_LOST') throw error
}

async function loadRows(
  client: pg.Client,
  layout: Layout,
  chunk: Chunk,
  fence: number,
): Promise<LoadResult> {
  await showFence(client, layout, fence)
  // Refused early here, to spare the work; what decides is `takeFence` below.
  const head = await refuseLowerFence(client, layout, fence)
  if (await position(client, layout, chunk.id)) throw new Duplicate()
  const { rows, rejects, nulled } = await fill(client, layout, writeTable(layout, head), chunk)
  await takeFence(client, layout, fence)
  const end = chunk.end()
  if (!(await record(client, layout, fence, { chunkId: chunk.id, end, rows })))
    throw new Duplicate()
  return { duplicate: false, rows, end, rejects, nulled }
}

async function duplicateOf(client: pg.Client, layout: Layout, chunk: Chunk): Promise<LoadResult> {
  const known = await position(client, layout, chunk.id)
  if (!known)
    throw new AirbyteError('CONFLICT', `Chunk ${chunk.id} left the ledger while it was read.`)
  return { duplicate: true, rows: known.rows, end: known.end, rejects: [] }
}

/** The chunk's rows into the table: straight, or through a temporary table and a merge. */
async function fill(
  client: pg.Client,
  layout: Layout,
  name: string,
  chunk: Chunk,
): Promise<Isolated> {
  const first = await peek(chunk.body)
  if (!first) return { rows: 0, rejects: [], nulled: 0 }
  await setMetadata(client, layout, name, first.batch.extractedAt)
  const table = qualified(layout.schema, name)
  const sink = layout.dedup
    ? await createIncoming(client, layout, table)
    : { table, changeLog: false }
  const filled = chunk.isolateBadRows
    ? await loadIsolated(client, layout, sink, first.body)
    : await loadBulk(client, layout, sink, first.body)
  if (!layout.dedup) return filled
  const maxRejects = MAX_REJECTS - filled.rejects.length
  const isolate = chunk.isolateBadRows ?? false
  const refused = await merge(client, layout, table, { maxRejects, isolate }).catch((error) => {
    throw isValueError(error) ? valueRejected(layout, error) : error
  })
  if (refused.length > maxRejects) throw tooManyRejects(layout)
  return {
    rows: filled.rows - refused.length,
    rejects: [...filled.rejects, ...refused],
    nulled: filled.nulled,
  }
}

async function loadBulk(
  client: pg.Client,
  layout: Layout,
  target: SinkTable,
  body: AsyncIterable<Batch>,
): Promise<Isolated> {
  const sink = new Sink(client, target)
  try {
    for await (const batch of body) await sink.write(encode(layout, target, batch))
    return { rows: await sink.end(), rejects: [], nulled: 0 }
  } catch (error) {
    await sink.cancel()
    throw isValueError(error) ? valueRejected(layout, error) : error
  }
}

/** The first batch, and the body as if nobody had looked; null if it is empty. */
async function peek(
  body: AsyncIterable<Batch>,
): Promise<{ batch: Batch; body: AsyncIterable<Batch> } | null> {
  const iterator = body[Symbol.asyncIterator]()
  const first = await iterator.next()
  if (first.done) return null
  const batch = first.value
  async function* all() {
    try {
      yield batch
      for (;;) {
        // What the reader throws stays its own error, whatever code it bears.
        const next = await iterator.next().catch((error) => {
          throw toAirbyteError(error)
        })
        if (next.done) return
        yield next.value
      }
    } finally {
      await iterator.return?.()
    }
  }
  return { batch, body: all() }
}
