import { afterAll, beforeAll, inject } from 'vitest'
import mysql from '../../../../connectors/destinations/mysql/index.ts'
import { createNodeContext } from '../../../../src/egress/node-context.ts'
import type { JsonObject } from '../../../../src/protocol/index.ts'
import type { Loader, StreamPlan } from '../../../../src/runtime/contract.ts'
import { connectMysql, type MysqlClient } from '../../../../src/runtime/mysql/client.ts'
import { type RunningMariadb, startOwnMariadb } from '../../../support/mariadb.ts'
import { runMysql } from '../../../support/mysql-statement.ts'
import { serverFields } from '../../../support/server-fields.ts'
import { planOf } from '../postgres/support.ts'

/** A database for one test file; `own`: options of a server of its own. */
export function useDatabase(name: string, own?: string[]) {
  const ctx = createNodeContext()
  const loaders: Loader[] = []
  let server: RunningMariadb | undefined
  let client: MysqlClient
  const config = (): JsonObject => ({
    ...serverFields(server?.url ?? inject('mariadbUrl')),
    database: name,
    ssl_mode: { mode: 'disabled' },
  })

  beforeAll(async () => {
    if (own) server = await startOwnMariadb(own)
    client = await connectMysql(ctx, { ...config(), database: '' } as never)
    await runMysql(
      client,
      `CREATE OR REPLACE DATABASE ${name} CHARACTER SET utf8mb4`,
      `USE ${name}`,
    )
  }, 60_000)
  afterAll(async () => {
    for (const loader of loaders) await loader.close()
    await client.query(`DROP DATABASE ${name}`)
    await client.close()
    await server?.stop()
  })

  return {
    ctx,
    config,
    /** Runs the statements; rows of the last. */
    run: (...statements: string[]) => runMysql(client, ...statements),
    async open(plan: Partial<StreamPlan>, changed: JsonObject = {}): Promise<Loader> {
      const loader = await mysql.open(ctx, { ...config(), ...changed }, planOf(plan))
      loaders.push(loader)
      return loader
    },
  }
}
