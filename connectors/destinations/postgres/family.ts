/**
 * Child tables of a stream that is merged by key: rows that a chunk replaces or removes lose their
 * children, and rows that it puts in their place bring theirs, all in the merge's transaction. Children
 * are found by the ids of the rows they belong to, so the cost follows from the change here too.
 */
import type pg from 'pg'
import { type Layout, META, RAW_ID, ROOT_ID } from '../../../src/runtime/loading/layout.ts'
import type { SinkTable } from '../../../src/runtime/loading/rows.ts'
import { quote } from './identifiers.ts'
import { INCOMING, qualified } from './layout.ts'

const REPLACED = 'pg_temp."_airbyte_replaced"'
const STANDING = 'pg_temp."_airbyte_standing"'

const incomingOf = (index: number) => `pg_temp."_airbyte_incoming_${index}"`

const columnsOf = ({ columns }: Layout) =>
  [...columns.map(({ name }) => name), META, RAW_ID].map(quote).join(', ')

/** The child's table that is written when the stream's is the one called `name`. */
export const childTable = (layout: Layout, name: string, child: Layout): string =>
  name === layout.hidden && child.hidden ? child.hidden : child.table

/** Temporary tables for the children of one chunk's rows. */
export async function createIncomingChildren(
  client: pg.Client,
  layout: Layout,
  name: string,
): Promise<SinkTable[]> {
  const tables: SinkTable[] = []
  for (const [index, child] of layout.children.entries()) {
    const target = qualified(child.schema, childTable(layout, name, child))
    await client.query(
      `CREATE TEMP TABLE "_airbyte_incoming_${index}" ON COMMIT DROP AS
       SELECT ${columnsOf(child)} FROM ${target} WITH NO DATA`,
    )
    tables.push({ table: incomingOf(index), changeLog: false })
  }
  return tables
}

const sameRow = ({ keys }: Layout, a: string, b: string) =>
  [...keys, RAW_ID].map((name) => `${a}.${quote(name)} = ${b}.${quote(name)}`).join(' AND ')

/** Before the merge: the rows of the table that it may replace or remove. */
export function noteReplaced(layout: Layout, target: string): string[] {
  const keys = layout.keys.map(quote)
  const sameKey = keys.map((key) => `t.${key} = k.${key}`).join(' AND ')
  return [
    `CREATE TEMP TABLE "_airbyte_replaced" ON COMMIT DROP AS
     SELECT ${[...keys, quote(RAW_ID)].map((name) => `t.${name}`).join(', ')}
     FROM (SELECT DISTINCT ${keys.join(', ')} FROM ${INCOMING}) AS k JOIN ${target} AS t ON ${sameKey}`,
  ]
}

/** After it: which of them were not replaced, and which of the chunk's rows stand, found by their keys. */
export function noteStanding(layout: Layout, target: string): string[] {
  const gone = `DELETE FROM ${REPLACED} AS r USING ${target} AS t WHERE ${sameRow(layout, 'r', 't')}`
  if (layout.children.length === 0) return [gone]
  return [
    gone,
    `CREATE TEMP TABLE "_airbyte_standing" ON COMMIT DROP AS
     SELECT i.${quote(RAW_ID)} FROM ${INCOMING} AS i JOIN ${target} AS t ON ${sameRow(layout, 'i', 't')}`,
  ]
}

/** The tables of elements of the table's rows, and those that only earlier plans had. */
const elementTables = (layout: Layout, name: string, strays: string[]): string[] => [
  ...layout.children.map((child) => qualified(child.schema, childTable(layout, name, child))),
  ...(name === layout.table ? strays.map((table) => qualified(layout.schema, table)) : []),
]

/** Takes away the children of rows that are gone. */
export const removeChildren = (layout: Layout, name: string, strays: string[]): string[] =>
  elementTables(layout, name, strays).map(
    (table) =>
      `DELETE FROM ${table} AS c
       USING ${REPLACED} AS r WHERE c.${quote(ROOT_ID)} = r.${quote(RAW_ID)}`,
  )

/** Adds the children of the rows that stand. */
export const addChildren = (layout: Layout, name: string): string[] =>
  layout.children.map(
    (child, index) =>
      `INSERT INTO ${qualified(child.schema, childTable(layout, name, child))} (${columnsOf(child)})
       SELECT ${columnsOf(child)} FROM ${incomingOf(index)} AS c
       WHERE c.${quote(ROOT_ID)} IN (SELECT ${quote(RAW_ID)} FROM ${STANDING})`,
  )

/** Takes away the children of all rows that a truncate removed. */
export const removeOrphans = (layout: Layout, name: string, strays: string[]): string[] =>
  elementTables(layout, name, strays).map(
    (table) =>
      `DELETE FROM ${table} AS c
       WHERE NOT EXISTS (SELECT FROM ${qualified(layout.schema, name)} AS t
         WHERE t.${quote(RAW_ID)} = c.${quote(ROOT_ID)})`,
  )
