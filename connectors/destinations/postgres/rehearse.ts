/**
 * What the first sync would do to the target. The code that prepares a stream runs on a client that
 * passes queries through and writes statements down: what is shown is what a sync executes.
 */
import type pg from 'pg'
import type { Rehearsal } from '../../../src/runtime/contract.ts'
import { type Layout, writeTable } from '../../../src/runtime/loading/layout.ts'
import { rehearsedTable } from '../../../src/runtime/loading/rehearsal.ts'
import { METADATA, qualified } from './layout.ts'
import { readHead } from './ledger.ts'
import { admitStream, prepareSchema, shapeStream } from './prepare.ts'

/** A relation, schema or column that is not there yet tells nothing. */
const ABSENT = new Set(['42P01', '3F000', '42703'])

export async function rehearse(client: pg.Client, layout: Layout): Promise<Rehearsal> {
  await client.query('SET default_transaction_read_only = on')
  const statements: string[] = []
  const recorder = recording(client, statements)
  await prepareSchema(recorder, layout)
  const head = await readHead(recorder, layout)
  const existing = await admitStream(recorder, layout, head)
  await shapeStream(recorder, layout, writeTable(layout, head), existing)
  const children: Rehearsal['children'] = []
  for (const child of layout.children) {
    const there = await admitStream(recorder, child, await readHead(recorder, child))
    await shapeStream(recorder, child, writeTable(child, head), there)
    children.push(rehearsedTable(child, there, METADATA))
  }
  return {
    ...rehearsedTable(layout, existing, METADATA),
    targetRows: existing && (await rowsOf(client, layout)),
    ...(children.length > 0 && { children }),
    statements: statements.map(readable),
  }
}

/** Reads reach the server, which is told to refuse all else; locks are left to those who need them. */
function recording(client: pg.Client, statements: string[]): pg.Client {
  const query = async (text: string, values?: unknown[]) => {
    if (/^\s*select\b/i.test(text)) {
      if (text.includes('pg_advisory')) return NOTHING
      return client.query(text, values).catch((error: { code?: string }) => {
        if (ABSENT.has(error.code ?? '')) return NOTHING
        throw error
      })
    }
    statements.push(...text.split(/;\s*\n/))
    return NOTHING
  }
  return { query } as unknown as pg.Client
}

const NOTHING = { rows: [], rowCount: 0 }

/** Without the random name of the sequence, so that the same plan reads the same. */
const readable = (statement: string) =>
  statement
    .replaceAll(/_airbyte_rows_[0-9a-f]{16}/g, '_airbyte_rows_…')
    .replaceAll(/'\\x[0-9a-f]{16}'::bytea/g, "'\\x…'::bytea")
    .replaceAll(/\s+/g, ' ')
    .trim()

/** As PostgreSQL estimates it; exact only for a table that never held a row. */
async function rowsOf(client: pg.Client, { schema, table }: Layout): Promise<number | undefined> {
  const { rows } = await client.query<{ estimate: string; bytes: string }>(
    `SELECT reltuples::bigint AS estimate, pg_relation_size(oid) AS bytes
     FROM pg_class WHERE oid = to_regclass($1)`,
    [qualified(schema, table)],
  )
  if (!rows[0]) return undefined
  if (rows[0].bytes === '0') return 0
  const estimate = Number(rows[0].estimate)
  return estimate < 0 ? undefined : estimate
}
