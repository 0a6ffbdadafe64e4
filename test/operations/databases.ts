import { env } from 'cloudflare:workers'
import type pg from 'pg'
import { budgetOf, connectorContext } from '../../src/durable-object/platform.ts'
import { closePostgres, connectPostgres } from '../../src/runtime/postgres/client.ts'
import type { PostgresConfig } from '../../src/runtime/postgres/config.ts'

const url = new URL((env as unknown as { PG_URL: string }).PG_URL)

/** How a source or destination reaches a database of the shared server. */
export const configOf = (database: string) => ({
  ...{ host: url.hostname, port: Number(url.port), database },
  ...{ username: url.username, password: url.password, ssl_mode: { mode: 'disable' } },
})

/** Runs SQL as its superuser, from inside workerd. */
export async function inDatabase(database: string, text: string): Promise<pg.QueryResult> {
  const ctx = connectorContext(env, 'support', {
    ...{ signal: new AbortController().signal, log: () => {}, budget: budgetOf(60_000) },
  })
  const config = configOf(database) as unknown as PostgresConfig
  const client = await connectPostgres(ctx, config)
  try {
    return await client.query(text)
  } finally {
    await closePostgres(client)
  }
}

export async function createDatabase(name: string): Promise<void> {
  await dropDatabase(name)
  await inDatabase('postgres', `CREATE DATABASE ${name}`)
}

export const dropDatabase = (name: string) =>
  inDatabase('postgres', `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
