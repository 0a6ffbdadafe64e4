/**
 * What the first sync would do to the target. The code that prepares a stream runs on a client that
 * passes queries through and writes statements down: what is shown is what a sync executes.
 */
import type { Rehearsal } from '../../../src/runtime/contract.ts'
import { writeTable } from '../../../src/runtime/loading/layout.ts'
import { rehearsedTable } from '../../../src/runtime/loading/rehearsal.ts'
import type { MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { MysqlServerError } from '../../../src/runtime/mysql/errors.ts'
import { text } from '../../../src/runtime/mysql/sql.ts'
import { type Layout, METADATA } from './layout.ts'
import { readHead } from './ledger.ts'
import { admitStream, prepareSchema, shapeStream } from './prepare.ts'
import type { SqlClient } from './session.ts'

/** A table or database that is not there has no rows. */
const ABSENT = new Set([1049, 1146])

export async function rehearse(client: MysqlClient, layout: Layout): Promise<Rehearsal> {
  await client.execute('SET SESSION TRANSACTION READ ONLY')
  const statements: string[] = []
  const recorder = recording(client, statements)
  await prepareSchema(recorder, layout)
  const head = await readHead(recorder, layout)
  const existing = await admitStream(recorder, layout, head)
  await shapeStream(recorder, layout, writeTable(layout, head), existing)
  return {
    ...rehearsedTable(layout, existing, METADATA),
    targetRows: existing && (await rowsOf(client, layout)),
    statements: statements.map((statement) => statement.replaceAll(/\s+/g, ' ').trim()),
  }
}

/** Reads reach the server, which is told to refuse all else. */
const recording = (client: MysqlClient, statements: string[]): SqlClient => ({
  query: (sql) =>
    client.query(sql).catch((error) => {
      if (error instanceof MysqlServerError && ABSENT.has(error.errno)) return []
      throw error
    }),
  async execute(sql) {
    statements.push(sql)
    return { rows: 0, warnings: 0 }
  },
})

/** As InnoDB estimates it. */
async function rowsOf(client: MysqlClient, { schema, table }: Layout): Promise<number | undefined> {
  const [row] = await client.query(
    `SELECT TABLE_ROWS FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = ${text(schema)} AND TABLE_NAME = ${text(table)}`,
  )
  return row?.[0] == null ? undefined : Number(row[0])
}
