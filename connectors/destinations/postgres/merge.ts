/**
 * Merging a chunk into a table by primary key. The cost follows from the chunk: the keys of its rows are
 * sorted once, and each row that is left finds its row in the table through the key's index.
 *
 * Which row wins: the one with the larger cursor, of equal cursors the later in stream order, null
 * being the smallest; in a chunk, against the table, and against what was deleted (`tombstones.ts`).
 * A deletion ranks as any row; one without a cursor ends what came before it, whatever its cursor.
 * Chunks of a stream load in order and each only once (ledger and fence), so time stamps of
 * extraction, which come from the clocks of different machines, need not decide anything.
 */
import type pg from 'pg'
import type { RejectedRow } from '../../../src/runtime/contract.ts'
import { refusedRows } from '../../../src/runtime/loading/isolate.ts'
import {
  EXTRACTED_AT,
  GENERATION_ID,
  type Layout,
  META,
  metaText,
  OP,
  ORDER,
  plannedColumns,
  RAW_ID,
  UNCHANGED,
} from '../../../src/runtime/loading/layout.ts'
import type { SinkTable } from '../../../src/runtime/loading/rows.ts'
import { dropAbsent, isDelete, ranksBelow, removeRows, removeTruncated } from './deletes.ts'
import { addChildren, noteReplaced, noteStanding, removeChildren, removeOrphans } from './family.ts'
import { quote, quoteLiteral } from './identifiers.ts'
import { INCOMING, qualified } from './layout.ts'
import { leftColumns } from './own-columns.ts'
import { underSavepoint } from './savepoint.ts'
import { byIndex, script } from './script.ts'
import { EXTRACTED } from './tables.ts'
import { dropLate, findLast, isLate, lacksLast, lastBuried } from './tombstones.ts'
import { keepUnchanged } from './unchanged.ts'

/**
 * A temporary table for one chunk's rows, with the target's own types. Gone with the transaction. What the
 * merge's looks at the chunk need comes first: to reach a value PostgreSQL goes through all before it.
 */
export async function createIncoming(
  client: pg.Client,
  layout: Layout,
  target: string,
): Promise<SinkTable> {
  const { keys, cursor, deletedAt, columns, children } = layout
  const ids = children.length > 0 ? [RAW_ID] : []
  const first = new Set([...keys, cursor, deletedAt].filter((name) => name !== null))
  const rest = [...columns.map(({ name }) => name), META, ...ids].filter((name) => !first.has(name))
  const [order, op, unchanged] = [ORDER, OP, UNCHANGED].map(quote)
  await client.query(`
    CREATE TEMP TABLE "_airbyte_incoming" ON COMMIT DROP AS
      SELECT 0::bigint AS ${order}, ${[...[...first].map(quote), `''::text AS ${op}`, `'{}'::int[] AS ${unchanged}`, ...rest.map(quote)].join(', ')}
      FROM ${target} WITH NO DATA;
    ALTER TABLE ${INCOMING}
      ALTER COLUMN ${quote(META)} SET DEFAULT ${quoteLiteral(metaText(layout))}::jsonb,
      ALTER COLUMN ${order} SET NOT NULL,
      ALTER COLUMN ${order} ADD GENERATED ALWAYS AS IDENTITY (CACHE 1000)`)
  return { table: INCOMING, changeLog: true }
}

/**
 * Merges the incoming rows into the table of that name. Rows without a complete key come back as rejects; with
 * `isolate` those too that the target refuses: a key too long for its index, a constraint of its owner.
 *
 * @param strays tables of arrays that the stream no longer has: elements of rows that go, go there too
 */
export async function merge(
  client: pg.Client,
  layout: Layout,
  name: string,
  { maxRejects, isolate, strays }: { maxRejects: number; isolate: boolean; strays: string[] },
): Promise<RejectedRow[]> {
  const target = qualified(layout.schema, name)
  const hasChildren = layout.children.length + strays.length > 0
  const { found, rejects } = await prepareMerge(client, layout, target, maxRejects)
  const run = (statements: string[]) => client.query(script(statements))
  if (hasChildren) await run(byIndex(noteReplaced(layout, target)))
  if (found.truncates) await removeTruncated(client, layout, target)
  if (found.unchanged)
    await keepUnchanged(client, layout, target, latestRows(layout, found.unplaced))
  const before = [
    // A truncate has just buried all that is below it, in this chunk too.
    ...(found.late || found.truncates ? byIndex(dropLate(layout, isUnplaced(layout))) : []),
    dropSuperseded(layout, found.unplaced),
    ...(found.leaves ? byIndex(dropAbsent(layout, target)) : []),
    ...(found.deletes ? byIndex(removeRows(layout, target)) : []),
  ]
  const standing = `SELECT * FROM ${INCOMING} AS l WHERE NOT ${isDelete(layout, 'l')}`
  const after = hasChildren ? mergeChildren(layout, name, found, strays) : []
  if (isolate) {
    await run(before)
    const left = maxRejects - rejects.length
    rejects.push(...(await upsertIsolated(client, layout, target, found.left, standing, left)))
    if (hasChildren) await run(after)
  } else await run([...before, upsert(layout, target, found.left, standing), ...after])
  return rejects
}

/** Looks at the chunk, and takes out of it the rows without a complete key. */
async function prepareMerge(client: pg.Client, layout: Layout, target: string, maxRejects: number) {
  let found = await lookAt(client, layout, target)
  const rejects = found.keyless ? await takeKeyless(client, layout, maxRejects) : []
  if (found.lacksLast) await client.query(findLast(layout))
  if (found.keyless || found.lacksLast) found = await lookAt(client, layout, target)
  return { found, rejects }
}

const mergeChildren = (
  layout: Layout,
  name: string,
  { truncates }: Found,
  strays: string[],
): string[] => [
  ...byIndex([
    ...noteStanding(layout, qualified(layout.schema, name)),
    ...removeChildren(layout, name, strays),
  ]),
  ...(truncates ? removeOrphans(layout, name, strays) : []),
  ...addChildren(layout, name),
]

interface Found {
  /** Rows lack a part of their key. */
  keyless: boolean
  truncates: boolean
  deletes: boolean
  /** Rows left the stream that may never have been loaded. */
  leaves: boolean
  /** There are deletes without a cursor: the order of coming is all that tells when. */
  unplaced: boolean
  unchanged: boolean
  /** There are rows that may rank below what was deleted. */
  late: boolean
  /** There are tombstones, and their highest position has to be found. */
  lacksLast: boolean
  /** Columns of the table that the stream no longer has. */
  left: string[]
}

/** What the chunk has beyond plain rows. */
async function lookAt(client: pg.Client, layout: Layout, target: string): Promise<Found> {
  const deletes = isDelete(layout, 'i')
  const { rows } = await client.query<Record<keyof Found, string | null>>(
    `SELECT bool_or(${isKeyless(layout, 'i')}) AS keyless,
            bool_or(i.${quote(OP)} = 't') AS truncates, bool_or(${deletes}) AS deletes,
            bool_or(i.${quote(OP)} = 'x') AS leaves,
            bool_or(${isUnplaced(layout)}) AS unplaced,
            bool_or(i.${quote(UNCHANGED)} IS NOT NULL) AS unchanged,
            bool_or(${isLate(layout, 'i', lastBuried(layout))}) AS late,
            ${lacksLast(layout)} AS "lacksLast", ${leftColumns(layout, target)} AS "left"
     FROM ${INCOMING} AS i`,
  )
  const is = (name: keyof Found) => rows[0]?.[name] === 't'
  return {
    keyless: is('keyless'),
    truncates: is('truncates'),
    deletes: is('deletes'),
    leaves: is('leaves'),
    unplaced: is('unplaced'),
    unchanged: is('unchanged'),
    late: is('late'),
    lacksLast: is('lacksLast'),
    left: JSON.parse(rows[0]?.left ?? '[]') as string[],
  }
}

/** The chunk's rows in parts, down to those that are refused. */
async function upsertIsolated(
  client: pg.Client,
  layout: Layout,
  target: string,
  left: string[],
  standing: string,
  max: number,
): Promise<RejectedRow[]> {
  const order = quote(ORDER)
  const { rows } = await client.query<{ from: string | null; to: string | null }>(
    `SELECT min(${order}) AS from, max(${order}) AS to FROM ${INCOMING}`,
  )
  const { from, to } = rows[0] ?? {}
  if (!from || !to) return []
  return refusedRows([BigInt(from), BigInt(to)], max, {
    attempt(from, to) {
      const part = `SELECT * FROM (${standing}) AS part WHERE ${order} BETWEEN ${from} AND ${to}`
      return underSavepoint(client, async () => {
        await client.query(upsert(layout, target, left, part))
      })
    },
    async rejected(at, error) {
      const { rows } = await client.query<{ row: string }>(
        `DELETE FROM ${INCOMING} WHERE ${order} = ${at} RETURNING ${rowJson(layout)} AS row`,
      )
      const field = (error as { column?: string }).column ?? keyTooLong(layout, error)
      return rows.map(({ row }) => ({
        ...{ reason: error.message, row },
        ...(field === undefined ? {} : { field }),
      }))
    },
  })
}

/** 54000 names an index, not a column; a key of one column is the one at fault. */
function keyTooLong({ keys }: Layout, error: Error): string | undefined {
  return (error as { code?: string }).code === '54000' && keys.length === 1 ? keys[0] : undefined
}

/** Whether a row `i` is a deletion without a cursor. */
const isUnplaced = (layout: Layout) =>
  `(${isDelete(layout, 'i')} AND ${layout.cursor ? `i.${quote(layout.cursor)}` : 'NULL'} IS NULL)`

const isKeyless = ({ keys }: Layout, alias: string) =>
  `(${keys.map((key) => `${alias}.${quote(key)} IS NULL`).join(' OR ')})
   AND ${alias}.${quote(OP)} IS DISTINCT FROM 't'`

/** A row of the chunk as JSON text, by the stream's names: the table's may be cut, or others. */
function rowJson(layout: Layout): string {
  const members = plannedColumns(layout).map(
    ({ name, column }) =>
      `${quoteLiteral(`${JSON.stringify(column.name)}:`)} || coalesce(to_json(${quote(name)})::text, 'null')`,
  )
  return `'{' || array_to_string(ARRAY[${members.join(', ')}], ',') || '}'`
}

async function takeKeyless(client: pg.Client, layout: Layout, max: number): Promise<RejectedRow[]> {
  const missing = isKeyless(layout, 'i')
  const { rows } = await client.query<{ row: string; field: string }>(
    `SELECT ${rowJson(layout)} AS row,
       CASE ${layout.keys.map((key) => `WHEN ${quote(key)} IS NULL THEN ${quoteLiteral(key)}`).join(' ')} END AS field
     FROM ${INCOMING} AS i WHERE ${missing} ORDER BY ${quote(ORDER)} LIMIT ${max + 1}`,
  )
  if (rows.length > 0) await client.query(`DELETE FROM ${INCOMING} AS i WHERE ${missing}`)
  return rows.map(({ row, field }) => ({ reason: 'a primary key column is null', field, row }))
}

/** One row per key. */
function latestRows(layout: Layout, unplaced: boolean): string {
  const keys = layout.keys.map(quote).join(', ')
  return `SELECT DISTINCT ON (${keys}) * FROM ${INCOMING} ORDER BY ${keys}, ${latestFirst(layout, unplaced)}`
}

/** The order of rows with one key. */
function latestFirst({ cursor }: Layout, unplaced: boolean): string {
  const position = cursor && !unplaced ? `${quote(cursor)} DESC NULLS LAST, ` : ''
  return `${position}${quote(ORDER)} DESC`
}

/** Leaves one row per key. What is sorted is keys and places alone: whole rows would go by way of the disk. */
function dropSuperseded(layout: Layout, unplaced: boolean): string {
  const [keys, order] = [layout.keys.map(quote).join(', '), quote(ORDER)]
  return `DELETE FROM ${INCOMING} WHERE ${order} IN (
       SELECT ${order} FROM (
         SELECT ${order}, row_number() OVER (
           PARTITION BY ${keys} ORDER BY ${latestFirst(layout, unplaced)}) AS rank
         FROM ${INCOMING}) AS ranked
       WHERE rank > 1)`
}

function upsert(layout: Layout, target: string, left: string[], standing: string): string {
  const ids = layout.children.length > 0 ? [RAW_ID] : []
  const columns = [...layout.columns.map(({ name }) => name), META, ...ids].map(quote)
  // What all rows of the chunk have in common is found once, not by each row's defaults.
  const common = [EXTRACTED_AT, GENERATION_ID].map(quote)
  const defaulted = ids.length > 0 ? [] : [quote(RAW_ID)]
  const updates = [
    ...[...columns, ...common, ...defaulted].map((name) => `${name} = EXCLUDED.${name}`),
    ...left.map((name) => `${quote(name)} = NULL`),
  ]
  return `INSERT INTO ${target} AS t (${[...columns, ...common].join(', ')})
     SELECT ${columns.join(', ')}, (SELECT ${EXTRACTED}), ${Number(layout.plan.generationId)}
     FROM (${standing}) AS standing
     ON CONFLICT (${layout.keys.map(quote).join(', ')}) DO UPDATE SET ${updates.join(', ')}
     WHERE ${ranksBelow(layout, 't', 'EXCLUDED')}`
}
