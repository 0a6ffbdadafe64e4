import type { Chunk, ConnectorContext, Loader, LoadResult } from '../../../src/runtime/contract.ts'
import { loadFenced, loadOnce } from '../../../src/runtime/loading/chunk.ts'
import { GENERATION_ID, writeTable } from '../../../src/runtime/loading/layout.ts'
import type { MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { quote } from '../../../src/runtime/mysql/sql.ts'
import { fill } from './fill.ts'
import { type Layout, nameOf } from './layout.ts'
import {
  forgetGeneration,
  forgetStream,
  position,
  prune,
  record,
  refuseLowerFence,
  showGeneration,
  takeFence,
} from './ledger.ts'
import { underLock } from './lock.ts'
import { createIncoming } from './merge.ts'
import { prepareSchema, prepareStream, settled } from './prepare.ts'
import { readRows } from './read-back.ts'
import type { Session, SqlClient } from './session.ts'
import { showFence } from './supersede.ts'
import {
  dropReplaced,
  isReliedUpon,
  prepareReplacement,
  replaceContents,
  replaceTable,
} from './swap.ts'
import { inspect } from './tables.ts'
import { pruneTombstones } from './tombstones.ts'

/** Writes one stream into one table. What changes rows is one transaction; for the rest see `prepare.ts`. */
export function createLoader(ctx: ConnectorContext, session: Session, layout: Layout): Loader {
  const { hidden } = layout
  const target = nameOf(layout, layout.table)
  const exists = async (client: SqlClient) => (await inspect(client, layout, layout.table)) !== null

  return {
    async prepare(fence) {
      await session.run((client) => prepareSchema(client, layout))
      return prepareStream(session, layout, fence, ctx.log)
    },

    load: (chunk, fence) =>
      loadOnce(chunk, {
        load: () => loadChunk(session, layout, chunk, fence),
        entry: () => session.run((client) => position(client, layout, chunk.id)),
        refuseLowerFence: () => session.run((client) => refuseLowerFence(client, layout, fence)),
      }),

    count: () =>
      session.run(async (client) => {
        if (!(await exists(client))) return null
        const [row] = await client.query(`SELECT COUNT(*) FROM ${target}`)
        return Number(row?.[0])
      }),

    finish: (fence) => underLock(session, layout, () => finish(session, layout, fence)),

    abort: (fence) =>
      underLock(session, layout, async () => {
        await session.transaction((client) => takeFence(client, layout, fence))
        await session.run(async (client) => {
          const head = await settled(client, layout)
          if (hidden === null || head?.visible === layout.plan.generationId) return
          await client.execute(`DROP TABLE IF EXISTS ${nameOf(layout, hidden)}`)
          await forgetGeneration(client, layout)
        })
      }),

    release: () =>
      session.run(async (client) => {
        if (hidden !== null) await client.execute(`DROP TABLE IF EXISTS ${nameOf(layout, hidden)}`)
        await forgetStream(client, layout)
      }),

    async *readBack(generationId) {
      if (await session.run(exists))
        yield* session.stream((client) => readRows(client, layout, generationId))
    },

    close: () => session.close(),
  }
}

async function finish(session: Session, layout: Layout, fence: number): Promise<void> {
  const { hidden, plan } = layout
  await session.transaction((client) => takeFence(client, layout, fence))
  const head = await session.run((client) => settled(client, layout))
  const isShown = head?.visible === plan.generationId
  const replaced =
    !isShown && hidden !== null && (await session.run((client) => show(client, layout, hidden)))
  await session.transaction(async (client) => {
    await takeFence(client, layout, fence)
    if (replaced === 'contents' && hidden !== null) await replaceContents(client, layout, hidden)
    if (!isShown) {
      if (hidden === null) await dropOldGenerations(client, layout)
      await showGeneration(client, layout)
    }
    await prune(client, layout)
    await pruneTombstones(client, layout)
  })
  if (hidden === null) return
  await session.run(async (client) => {
    await dropReplaced(client, layout, hidden)
    if (replaced === 'contents') await client.execute(`DROP TABLE ${nameOf(layout, hidden)}`)
  })
}

/** Shows the hidden table; `contents`: its rows have to be moved, in a transaction. */
async function show(
  client: SqlClient,
  layout: Layout,
  hidden: string,
): Promise<'table' | 'contents' | 'nothing'> {
  if (!(await inspect(client, layout, hidden))) return 'nothing'
  if (!(await isReliedUpon(client, layout))) {
    await replaceTable(client, layout, hidden)
    return 'table'
  }
  await prepareReplacement(client, layout)
  return 'contents'
}

async function dropOldGenerations(client: SqlClient, layout: Layout): Promise<void> {
  const { minimumGenerationId } = layout.plan
  if (minimumGenerationId > 0)
    await client.execute(
      `DELETE FROM ${nameOf(layout, layout.table)}
       WHERE ${quote(GENERATION_ID)} < ${Number(minimumGenerationId)}`,
    )
}

async function loadChunk(
  session: Session,
  layout: Layout,
  chunk: Chunk,
  fence: number,
): Promise<LoadResult> {
  // These are no part of a transaction, or would end it.
  await session.run(async (client) => {
    await showFence(client, layout, fence)
    if (layout.dedup) await createIncoming(client, layout)
  })
  return session.transaction((client) => loadRows(client, layout, chunk, fence))
}

const loadRows = (
  client: MysqlClient,
  layout: Layout,
  chunk: Chunk,
  fence: number,
): Promise<LoadResult> =>
  loadFenced(chunk, {
    head: () => refuseLowerFence(client, layout, fence),
    entry: () => position(client, layout, chunk.id),
    fill: (head) => fill(client, layout, writeTable(layout, head), chunk),
    takeFence: () => takeFence(client, layout, fence),
    record: (entry) => record(client, layout, fence, entry),
  })
