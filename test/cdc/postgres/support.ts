import pg from 'pg'
import {
  CDC_COLUMNS,
  type CdcPosition,
  type ChangeBatch,
  type ChangeEvent,
  type ChangeFeedOptions,
  ensureSlot,
  freezeBound,
  isUnchanged,
  openChangeFeed,
} from '../../../src/cdc/postgres/index.ts'
import { createNodeContext } from '../../../src/egress/node-context.ts'
import { streamKey } from '../../../src/protocol/index.ts'
import { decodeCopyText } from '../../../src/runtime/formats/pg-copy-text.ts'
import { connectPostgres } from '../../../src/runtime/postgres/client.ts'
import type { PostgresConfig } from '../../../src/runtime/postgres/config.ts'

export const ctx = createNodeContext()

export interface TestDatabase {
  config: PostgresConfig
  /** As the product connects: values are text. */
  client: pg.Client
  sql(text: string): Promise<pg.QueryResult>
  /** The shared server has ten. */
  dropSlots(): Promise<void>
  close(): Promise<void>
}

/** An empty database of its own on the server of `url`; `options` of CREATE DATABASE. */
export async function createDatabase(
  url: string,
  name: string,
  options = '',
): Promise<TestDatabase> {
  const { hostname, port, username, password } = new URL(url)
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  await dropSlots(admin, name)
  await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  await admin.query(`CREATE DATABASE ${name} ${options}`)
  const config: PostgresConfig = {
    host: hostname,
    port: Number(port),
    database: name,
    username,
    password,
    ssl_mode: { mode: 'disable' },
  }
  const client = await connectPostgres(ctx, config)
  return {
    config,
    client,
    sql: (text) => client.query(text),
    dropSlots: () => dropSlots(admin, name),
    async close() {
      await client.end()
      await dropSlots(admin, name)
      await admin.end()
    },
  }
}

/** A slot left behind would keep the shared server's log. */
async function dropSlots(admin: pg.Client, database: string) {
  await admin.query(
    `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
     WHERE database = $1 AND active_pid IS NOT NULL`,
    [database],
  )
  for (let tries = 0; tries < 50; tries++) {
    const { rows } = await admin.query(
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
       WHERE database = $1 AND active_pid IS NULL`,
      [database],
    )
    const { rows: left } = await admin.query(
      'SELECT FROM pg_replication_slots WHERE database = $1',
      [database],
    )
    if (left.length === 0 || (rows.length === 0 && tries > 40)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

export type Describe = ChangeFeedOptions['describe']

/** Takes every table as the log describes it, with its replica identity as key. */
export const describeAll: Describe = (relation, columns) => ({
  stream: streamKey({ namespace: relation.schema, name: relation.name }),
  columns,
  key: relation.columns
    .filter(({ identity }) => identity && relation.identity !== 'full')
    .map(({ name }) => name),
})

export const feedOptions = (
  slot: string,
  position: CdcPosition,
  options: Partial<ChangeFeedOptions> = {},
): ChangeFeedOptions => ({
  slot,
  publications: [slot],
  applicationName: `airbyte cdc ${slot}`,
  position,
  describe: describeAll,
  ...options,
})

let slots = 0

/** Publishes tables, makes the slot, and reads what was committed since each time it is called. */
export async function follow(db: TestDatabase, tables: string, describe: Describe = describeAll) {
  const slot = `${db.config.database}_${++slots}`
  await db.sql(`CREATE PUBLICATION ${slot} FOR TABLE ${tables}`)
  let { position } = await ensureSlot(db.client, slot)
  return {
    slot,
    async catchUp(options: Partial<ChangeFeedOptions> = {}): Promise<ChangeEvent[]> {
      const bound = await freezeBound(db.client)
      const feed = await openChangeFeed(
        ctx,
        db.config,
        feedOptions(slot, position, { bound, describe, ...options }),
      )
      const events: ChangeEvent[] = []
      for await (const event of feed) {
        events.push(event)
        if (event.type !== 'checkpoint') continue
        position = event.position
        feed.acknowledge(position)
      }
      return events
    },
    get position() {
      return position
    },
  }
}

/** Rows as `[op, ...cells]`, `…` where unchanged; other events by their type. */
export function summary(events: ChangeEvent[]): unknown[] {
  return events.flatMap((event): unknown[] => {
    if (event.type === 'changes') return rowsOf(event.batch)
    if (event.type === 'copied') {
      const { bytes, schema, op = [] } = event.batch
      return rowsOf({ ...decodeCopyText(bytes, schema), op, sequences: [] })
    }
    if (event.type === 'truncate') return [`truncate ${event.stream}`]
    if (event.type === 'relation') return event.previous ? [`relation ${event.stream}`] : []
    return []
  })
}

function rowsOf(batch: ChangeBatch): unknown[][] {
  const own = batch.schema.length - CDC_COLUMNS.length
  return batch.op.map((op, row) => [
    op,
    ...batch.columns
      .slice(0, own)
      .map((cells, column) => (isUnchanged(batch, column, row) ? '…' : cells[row])),
  ])
}
