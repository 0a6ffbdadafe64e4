import { afterAll, beforeAll, inject } from 'vitest'
import mysql from '../../../../connectors/sources/mysql/index.ts'
import { createNodeContext } from '../../../../src/egress/node-context.ts'
import type { AirbyteStream, JsonObject } from '../../../../src/protocol/index.ts'
import { connectMysql, type MysqlClient } from '../../../../src/runtime/mysql/client.ts'
import type { MysqlConfig } from '../../../../src/runtime/mysql/config.ts'
import { asRecords, batchesOf, type Reading } from '../../../conformance/reading.ts'
import { type RunningMariadb, startOwnMariadb } from '../../../support/mariadb.ts'
import { runMysql } from '../../../support/mysql-statement.ts'
import { serverFields } from '../../../support/server-fields.ts'

export const ctx = createNodeContext()

type Config = Omit<MysqlConfig, 'ssl_mode' | 'tunnel_method'> & {
  ssl_mode: { mode: 'disabled' }
}

export function serverConfig(server = inject('mariadbUrl')): Config {
  return {
    ...serverFields(server),
    ssl_mode: { mode: 'disabled' },
  }
}

/** A database for one test file; `own`: on a server of its own with these options, for tests that set it otherwise. */
export function useDatabase(name: string, own?: string[]) {
  let client: MysqlClient
  let server: RunningMariadb | undefined
  const config = () => ({ ...serverConfig(server?.url), database: name })
  beforeAll(async () => {
    if (own) server = await startOwnMariadb(own)
    client = await connectMysql(ctx, serverConfig(server?.url))
    await runMysql(
      client,
      `CREATE OR REPLACE DATABASE ${name} CHARACTER SET utf8mb4`,
      `USE ${name}`,
    )
  }, 60_000)
  afterAll(async () => {
    await client.query(`DROP DATABASE ${name}`)
    await client.close()
    await server?.stop()
  })
  return {
    config,
    run: (...statements: string[]) => runMysql(client, ...statements),
    reading: (overrides: JsonObject = {}): Reading => ({
      source: mysql,
      config: { ...(config() as unknown as JsonObject), ...overrides },
      ctx,
    }),
    async stream(table: string): Promise<AirbyteStream> {
      const { streams } = await mysql.discover(ctx, config())
      const found = streams.find((stream) => stream.name === table)
      if (!found) throw new Error(`${table} was not discovered`)
      return found
    },
  }
}

/** The cells of one column over all batches. */
export const cellsOf = (events: Parameters<typeof batchesOf>[0], field: string) =>
  batchesOf(events).flatMap((batch) => {
    const { schema, columns } = asRecords(batch)
    return columns[schema.findIndex(({ name }) => name === field)] ?? []
  })

/** What was recorded of coerced values, over all batches. */
export const changesOf = (events: Parameters<typeof batchesOf>[0]) =>
  batchesOf(events).flatMap((batch) => (batch.kind === 'records' ? (batch.changes ?? []) : []))
