import type pg from 'pg'
import type { ConnectorContext, LedgerPosition } from '../../../src/runtime/contract.ts'
import { type Layout, ROOT_ID, writeTable } from '../../../src/runtime/loading/layout.ts'
import { refuseStrangers } from '../../../src/runtime/loading/ownership.ts'
import { requireUtf8 } from './encoding.ts'
import { quote } from './identifiers.ts'
import { hiddenName, METADATA, qualified } from './layout.ts'
import {
  claimHead,
  createLedger,
  forgetGeneration,
  type Head,
  ownerOf,
  position,
  readHead,
  strayChildren,
} from './ledger.ts'
import { noteColumns } from './own-columns.ts'
import { endSuperseded, showFence } from './supersede.ts'
import { isReliedUpon } from './swap.ts'
import { ensureRoot, ensureTable, evolve, inspect } from './tables.ts'

/**
 * Schema and ledger tables. A lock makes two first syncs into one schema take turns. Rejects with
 * VALIDATION_FAILED if the stream is new to a database that is not in UTF8.
 */
export async function prepareSchema(client: pg.Client, layout: Layout): Promise<void> {
  await requireUtf8(client, async () => (await readHead(client, layout)) !== null)
  await lock(client, `airbyte schema ${layout.schema}`)
  const { rows } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [
    layout.schema,
  ])
  if (rows.length === 0) await client.query(`CREATE SCHEMA ${quote(layout.schema)}`)
  await createLedger(client, layout)
}

/** The stream's tables and its head; returns where the destination stands. */
export async function prepareStream(
  client: pg.Client,
  layout: Layout,
  fence: number,
  log: ConnectorContext['log'],
): Promise<LedgerPosition | null> {
  await showFence(client, layout, fence)
  await lock(client, `airbyte table ${layout.schema}.${layout.table}`)
  const head = await readHead(client, layout)
  const existing = await admitStream(client, layout, head)
  await claimHead(client, layout, fence)
  await endSuperseded(client, layout, fence)
  const table = writeTable(layout, head)
  await dropStale(client, layout, head)
  const isNew = table === layout.table ? !existing : !(await inspect(client, layout.schema, table))
  if (isNew) await forget(client, layout, log)
  if (layout.dedup) await noteColumns(client, layout, existing?.keys() ?? [])
  await shapeStream(client, layout, table, existing)
  for (const child of layout.children) await prepareChild(client, child, fence, head)
  if (layout.dedup) {
    for (const table of await strayChildren(client, layout))
      await ensureRoot(client, layout, table, ROOT_ID)
  }
  return position(client, layout)
}

/** @param head of the stream that it belongs to */
async function prepareChild(
  client: pg.Client,
  child: Layout,
  fence: number,
  head: Head | null,
): Promise<void> {
  await lock(client, `airbyte table ${child.schema}.${child.table}`)
  const own = await readHead(client, child)
  const existing = await admitStream(client, child, own)
  await claimHead(client, child, fence)
  await dropStale(client, child, own)
  await shapeStream(client, child, writeTable(child, head), existing)
}

export type Existing = Awaited<ReturnType<typeof inspect>>

/** The columns of the target as it stands; TABLE_TAKEN if it is not this stream's to write. */
export async function admitStream(
  client: pg.Client,
  layout: Layout,
  head: Head | null,
): Promise<Existing> {
  const existing = await inspect(client, layout.schema, layout.table)
  refuseStrangers(layout, {
    ...{ owner: await ownerOf(client, layout), own: head?.table, columns: existing },
    metadata: Object.keys(METADATA),
  })
  return existing
}

/** Gives the table that will be written, and the one that will be shown, the stream's columns. */
export async function shapeStream(
  client: pg.Client,
  layout: Layout,
  table: string,
  existing: Existing,
): Promise<void> {
  await ensureTable(client, layout, table)
  if (table !== layout.table && existing && (await isReliedUpon(client, layout)))
    await evolve(client, layout, layout.table, existing)
}

const lock = (client: pg.Client, name: string) =>
  client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name])

/** What an earlier generation left unfinished. */
async function dropStale(client: pg.Client, layout: Layout, head: Head | null): Promise<void> {
  if (!head) return
  const stale = hiddenName(head.table, head.generation)
  if (stale !== layout.hidden)
    await client.query(`DROP TABLE IF EXISTS ${qualified(layout.schema, stale)}`)
}

/** The table is new: whatever the ledger says was loaded into it is not there. */
async function forget(client: pg.Client, layout: Layout, log: ConnectorContext['log']) {
  const had = await position(client, layout)
  if (!had) return
  log('warn', `Table ${layout.schema}.${layout.table} is gone; refresh the stream to refill it.`)
  await forgetGeneration(client, layout)
}
