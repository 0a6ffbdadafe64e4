import type pg from 'pg'
import type { Batch } from '../../../src/protocol/index.ts'
import type { Chunk, ConnectorContext, Loader, LoadResult } from '../../../src/runtime/contract.ts'
import { loadFenced, loadOnce, peek } from '../../../src/runtime/loading/chunk.ts'
import { type Isolated, loadWhole, merged } from '../../../src/runtime/loading/isolate.ts'
import {
  GENERATION_ID,
  type Layout,
  layoutFor,
  writeTable,
} from '../../../src/runtime/loading/layout.ts'
import { childTable, createIncomingChildren } from './family.ts'
import { FamilySink, type FamilyTables } from './family-sink.ts'
import { quote } from './identifiers.ts'
import { loadInParts, refused } from './isolate.ts'
import { qualified } from './layout.ts'
import {
  forgetGeneration,
  forgetStream,
  position,
  prune,
  readHead,
  record,
  refuseLowerFence,
  showGeneration,
  strayChildren,
  takeFence,
} from './ledger.ts'
import { createIncoming, merge } from './merge.ts'
import { prepareSchema, prepareStream } from './prepare.ts'
import { readRows } from './read-back.ts'
import type { Session, Sessions } from './session.ts'
import { showFence } from './supersede.ts'
import { showHidden } from './swap.ts'
import { inspect, setMetadata } from './tables.ts'
import { pruneTombstones } from './tombstones.ts'

/** Writes one stream into one table. Each method is one transaction. */
export function createLoader(ctx: ConnectorContext, sessions: Sessions, layout: Layout): Loader {
  const session = sessions.first
  const target = qualified(layout.schema, layout.table)
  const exists = async (client: pg.Client) =>
    (await inspect(client, layout.schema, layout.table)) !== null

  let known: string[] | undefined
  const strays: Strays = async (client) => {
    known ??= layout.dedup ? await strayChildren(client, layout) : []
    return known
  }

  return {
    async prepare(fence) {
      await session.transaction((client) => prepareSchema(client, layout))
      return session.transaction((client) => prepareStream(client, layout, fence, ctx.log))
    },

    async load(chunk, fence) {
      // Only rows that are merged have a place of their own until then, and hold nobody up from there.
      if (!layout.dedup || layout.hidden !== null) await chunk.turn
      return sessions.use(chunk.turn, (own) => loadChunk(own, layout, strays, chunk, fence))
    },

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
          for (const table of [layout, ...layout.children]) {
            if (table.hidden) await showHidden(client, table, table.hidden)
            else await dropOldGenerations(client, table)
          }
          await emptyStrayChildren(client, layout)
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
        await dropHidden(client, layout)
        await forgetGeneration(client, layout)
      }),

    release: () =>
      session.transaction(async (client) => {
        await dropHidden(client, layout)
        await forgetStream(client, layout)
      }),

    async *readBack(generationId, child) {
      const own = layoutFor(layout, child)
      if (await session.run((client) => inspect(client, own.schema, own.table)))
        yield* session.stream((client) => readRows(client, own, generationId))
    },

    close: () => sessions.close(),
  }
}

async function dropHidden(client: pg.Client, layout: Layout): Promise<void> {
  for (const { schema, hidden } of [layout, ...layout.children])
    if (hidden) await client.query(`DROP TABLE IF EXISTS ${qualified(schema, hidden)}`)
}

async function dropOldGenerations(
  client: pg.Client,
  { plan, schema, table }: Pick<Layout, 'plan' | 'schema' | 'table'>,
): Promise<void> {
  if (plan.minimumGenerationId > 0)
    await client.query(
      `DELETE FROM ${qualified(schema, table)} WHERE ${quote(GENERATION_ID)} < $1`,
      [plan.minimumGenerationId],
    )
}

/** Tables of arrays that the stream no longer has stay, without the rows that it replaced. */
async function emptyStrayChildren(client: pg.Client, layout: Layout): Promise<void> {
  const { plan, schema } = layout
  for (const table of await strayChildren(client, layout))
    await dropOldGenerations(client, { plan, schema, table })
}

/** The tables of arrays that the stream no longer has, which are the same for all its chunks. */
type Strays = (client: pg.Client) => Promise<string[]>

const loadChunk = (
  session: Session,
  layout: Layout,
  strays: Strays,
  chunk: Chunk,
  fence: number,
): Promise<LoadResult> =>
  loadOnce(chunk, {
    load: () => session.transaction((client) => loadRows(client, layout, strays, chunk, fence)),
    entry: () => session.run((client) => position(client, layout, chunk.id)),
    refuseLowerFence: () => session.run((client) => refuseLowerFence(client, layout, fence)),
  })

async function loadRows(
  client: pg.Client,
  layout: Layout,
  strays: Strays,
  chunk: Chunk,
  fence: number,
): Promise<LoadResult> {
  await showFence(client, layout, fence)
  return loadFenced(chunk, {
    head: () => refuseLowerFence(client, layout, fence),
    entry: () => position(client, layout, chunk.id),
    fill: async (head) =>
      fill(client, layout, writeTable(layout, head), chunk, await strays(client)),
    takeFence: () => takeFence(client, layout, fence),
    record: (entry) => record(client, layout, fence, entry),
  })
}

/** The chunk's rows into the table: straight, or through a temporary table and a merge. */
async function fill(
  client: pg.Client,
  layout: Layout,
  name: string,
  chunk: Chunk,
  strays: string[],
): Promise<Isolated> {
  const first = await peek(chunk.body)
  if (!first) return { rows: 0, rejects: [], nulled: 0 }
  const { extractedAt } = first.batch
  await setMetadata(client, layout, name, extractedAt)
  for (const child of layout.children)
    await setMetadata(client, child, childTable(layout, name, child), extractedAt)
  const tables = await tablesOf(client, layout, name)
  const filled = chunk.isolateBadRows
    ? await loadInParts(client, layout, tables, first.body)
    : await loadBulk(client, layout, tables, first.body)
  if (!layout.dedup) return filled
  await chunk.turn
  const isolate = chunk.isolateBadRows ?? false
  return merged(layout, filled, (maxRejects) =>
    merge(client, layout, name, { maxRejects, isolate, strays }).catch((error) =>
      refused(layout, error),
    ),
  )
}

/** The tables that rows are copied into: those of the stream, or temporary ones to merge from. */
async function tablesOf(client: pg.Client, layout: Layout, name: string): Promise<FamilyTables> {
  const straight = (table: string) => ({
    table: qualified(layout.schema, table),
    changeLog: false,
  })
  if (!layout.dedup) {
    const children = layout.children.map((child) => straight(childTable(layout, name, child)))
    return { own: straight(name), children }
  }
  return {
    own: await createIncoming(client, layout, qualified(layout.schema, name)),
    children: await createIncomingChildren(client, layout, name),
  }
}

const loadBulk = (
  client: pg.Client,
  layout: Layout,
  tables: FamilyTables,
  body: AsyncIterable<Batch>,
): Promise<Isolated> =>
  loadWhole(new FamilySink(client, layout, tables), body).catch((error) => refused(layout, error))
