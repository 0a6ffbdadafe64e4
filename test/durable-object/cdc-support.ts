import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type pg from 'pg'
import { LogStore } from '../../src/durable-object/log-store.ts'
import { budgetOf, connectorContext } from '../../src/durable-object/platform.ts'
import type { StreamConfig } from '../../src/durable-object/rpc.ts'
import type { JsonObject } from '../../src/protocol/index.ts'
import { closePostgres, connectPostgres } from '../../src/runtime/postgres/client.ts'
import type { PostgresConfig } from '../../src/runtime/postgres/config.ts'
import { postgresConfig, stream, TENANT } from './harness.ts'

export const reader = (sourceId: string) =>
  (env as unknown as { LOG_READER: DurableObjectNamespace }).LOG_READER.getByName(
    `${TENANT}:${sourceId}`,
  )

/** The log of a source, as its reader keeps it. */
export const logOf = (sourceId: string) =>
  runInDurableObject(reader(sourceId), (_, { storage }) => new LogStore(storage).log())

/** The reader's memory is gone, in the middle of whatever it does; what it has stored stays. */
export const killReader = (sourceId: string) =>
  runInDurableObject(reader(sourceId), (_, state) => state.abort('killed')).catch(() => {})

/** The context of a connector, for sessions of the test's own. */
export const ctx = connectorContext(env, 'local', {
  signal: new AbortController().signal,
  log: () => {},
  budget: budgetOf(600_000),
})

/** A database of its own on the shared server, with the schemas `src` and `dst`. */
export async function openDatabase(name: string) {
  const server = postgresConfig('src') as unknown as PostgresConfig
  const admin = await connectPostgres(ctx, server)
  await dropSlots(admin, name)
  await admin.query(`drop database if exists ${name} with (force)`)
  await admin.query(`create database ${name}`)
  const config: PostgresConfig = { ...server, database: name }
  const client = await connectPostgres(ctx, config)
  return {
    client,
    config,
    /** A session in another database of the server. */
    admin,
    /** Another session. */
    connect: () => connectPostgres(ctx, config),
    sql: (text: string) => client.query(text),
    /** Nothing is left of an earlier test. */
    async reset() {
      await dropSlots(admin, name)
      const { rows } = await client.query('select pubname from pg_publication')
      for (const { pubname } of rows) await client.query(`drop publication "${pubname}"`)
      await client.query(`
        drop schema if exists src cascade; drop schema if exists dst cascade;
        create schema src; create schema dst`)
    },
    /** Rows and a hash of them, by SQL. */
    async contents(table: string, columns: string, key = 'id') {
      const { rows } = await client.query(
        `select count(*) as n, md5(string_agg(t::text, '|' order by ${key})) as hash
         from (select ${columns} from ${table}) t`,
      )
      return rows[0]
    },
    /** A connection from `src` to `dst` that follows the log. */
    setup(streams: Partial<StreamConfig>[], method: JsonObject = {}, more: JsonObject = {}) {
      const { schema: _schema, ...source } = postgresConfig('src')
      const replication_method = { method: 'CDC', ...method }
      return {
        source: {
          type: 'postgres',
          config: { ...source, database: name, schemas: ['src'], replication_method, ...more },
        },
        destination: { type: 'postgres', config: { ...postgresConfig('dst'), database: name } },
        streams: streams.map((change) => followed(change)),
        change: { namespace: 'dst' },
      }
    },
    async close() {
      await closePostgres(client)
      await dropSlots(admin, name)
      await closePostgres(admin)
    },
  }
}

export type CdcDatabase = Awaited<ReturnType<typeof openDatabase>>

export const followed = (change: Partial<StreamConfig>) =>
  stream({
    ...{ namespace: 'src', syncMode: 'incremental', destinationSyncMode: 'append_dedup' },
    ...{ primaryKey: [['id']], ...change },
  })

/** The shared server has few, and each keeps its log. */
async function dropSlots(admin: pg.Client, database: string) {
  const of = `from pg_replication_slots where database = '${database}'`
  await admin.query(`select pg_terminate_backend(active_pid) ${of} and active_pid is not null`)
  for (let left = 1; left > 0; ) {
    await admin.query(`select pg_drop_replication_slot(slot_name) ${of} and active_pid is null`)
    left = (await admin.query(`select ${of}`)).rowCount ?? 0
  }
}
