/**
 * Getting a stream's tables ready. MySQL commits at every change of a table's shape, so a crash may
 * come between any two statements; these orders make the next attempt go on rightly:
 *
 * - the fence is claimed before anything is changed, so that older loaders commit nothing after it;
 * - of a table that is not there, the ledger is forgotten first and the table created then: there is
 *   never an empty table beside a ledger that says it is full;
 * - a hidden table that was shown bears its generation in its comment: a crash after the renaming and
 *   before the note in the head is seen by that.
 */
import type { ConnectorContext, LedgerPosition } from '../../../src/runtime/contract.ts'
import { writeTable } from '../../../src/runtime/loading/layout.ts'
import { refuseStrangers } from '../../../src/runtime/loading/ownership.ts'
import { quote, text } from '../../../src/runtime/mysql/sql.ts'
import { hiddenName, type Layout, METADATA, nameOf } from './layout.ts'
import {
  claimHead,
  createLedger,
  forgetGeneration,
  type Head,
  ownerOf,
  position,
  readHead,
  showGeneration,
} from './ledger.ts'
import { underLock } from './lock.ts'
import { noteColumns } from './own-columns.ts'
import type { Session, SqlClient } from './session.ts'
import { endSuperseded, showFence } from './supersede.ts'
import { isReliedUpon } from './swap.ts'
import { type Existing, ensureTable, evolve, generationOf, inspect } from './tables.ts'

/** Database and ledger tables. */
export async function prepareSchema(client: SqlClient, layout: Layout): Promise<void> {
  const found = await client.query(
    `SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${text(layout.schema)}`,
  )
  if (found.length === 0)
    await client.execute(
      `CREATE DATABASE IF NOT EXISTS ${quote(layout.schema)} CHARACTER SET utf8mb4 COLLATE ${layout.server.collation}`,
    )
  await createLedger(client, layout)
}

/** The stream's tables and its head; returns where the destination stands. */
export async function prepareStream(
  session: Session,
  layout: Layout,
  fence: number,
  log: ConnectorContext['log'],
): Promise<LedgerPosition | null> {
  const claim = async () => {
    await session.transaction((client) => claimHead(client, layout, fence))
    await session.run((client) => endSuperseded(client, layout, fence))
  }
  await session.run((client) => showFence(client, layout, fence))
  const known = await session.run((client) => readHead(client, layout))
  // Before the lock: who holds it may be an older loader that hangs.
  if (known?.table === layout.table) await claim()
  return underLock(session, layout, async () => {
    const existing = await session.run(async (client) => {
      return admitStream(client, layout, await readHead(client, layout))
    })
    await claim()
    return session.run(async (client) => {
      const head = await settled(client, layout)
      const table = writeTable(layout, head)
      await dropStale(client, layout, known)
      const isNew = table === layout.table ? !existing : !(await inspect(client, layout, table))
      if (isNew) await forget(client, layout, log)
      if (layout.dedup) await noteColumns(client, layout, existing?.keys() ?? [])
      await shapeStream(client, layout, table, existing)
      return position(client, layout)
    })
  })
}

/** The head, after a swap that was not noted any more is noted. */
export async function settled(client: SqlClient, layout: Layout): Promise<Head | null> {
  const head = await readHead(client, layout)
  const { generationId } = layout.plan
  if (!head || layout.hidden === null || head.visible === generationId) return head
  const shown = await generationOf(client, layout, layout.table)
  if (shown !== generationId || (await inspect(client, layout, layout.hidden))) return head
  await showGeneration(client, layout)
  return { ...head, visible: generationId }
}

/** The columns of the target as it stands; TABLE_TAKEN if it is not this stream's to write. */
export async function admitStream(
  client: SqlClient,
  layout: Layout,
  head: Head | null,
): Promise<Existing | null> {
  const existing = await inspect(client, layout, layout.table)
  refuseStrangers(layout, {
    ...{ owner: await ownerOf(client, layout), own: head?.table, columns: existing },
    metadata: Object.keys(METADATA),
  })
  return existing
}

/** Gives the table that will be written, and the one that will be shown, the stream's columns. */
export async function shapeStream(
  client: SqlClient,
  layout: Layout,
  table: string,
  existing: Existing | null,
): Promise<void> {
  await ensureTable(client, layout, table)
  if (table !== layout.table && existing && (await isReliedUpon(client, layout)))
    await evolve(client, layout, layout.table, existing)
}

/** What an earlier generation left unfinished. */
async function dropStale(client: SqlClient, layout: Layout, head: Head | null): Promise<void> {
  if (!head) return
  const stale = hiddenName(layout, head.table, head.generation)
  if (stale !== layout.hidden) await client.execute(`DROP TABLE IF EXISTS ${nameOf(layout, stale)}`)
}

/** The table is new: whatever the ledger says was loaded into it is not there. */
async function forget(client: SqlClient, layout: Layout, log: ConnectorContext['log']) {
  const had = await position(client, layout)
  if (!had) return
  log('warn', `Table ${layout.schema}.${layout.table} is gone; refresh the stream to refill it.`)
  await forgetGeneration(client, layout)
}
