/**
 * Values that a change log left out because the change did not touch them (large ones of PostgreSQL).
 * Each is what the row had before: in an earlier row of the chunk, else in the table; of a row that
 * moved, under the key that it had.
 *
 * No statement may read a temporary table twice, so the way back is noted first: for each row of the
 * chunk the nearest one before it under its key that knows the value, and the nearest move to that key
 * which does not. A search then takes a step for each move, however many changes lie between. Rows are
 * found by their number among those of their kind, since MariaDB counts along a window in one pass, but
 * takes a maximum of it anew for each row.
 */
import { GENERATION_ID, META, OP, ORDER, UNCHANGED } from '../../../src/runtime/loading/layout.ts'
import { quote, text } from '../../../src/runtime/mysql/sql.ts'
import { incoming, type Layout, latest, nameOf } from './layout.ts'
import type { SqlClient } from './session.ts'
import { tableOptions } from './stream-id.ts'

const steps = (layout: Layout) => nameOf(layout, '_airbyte_steps')
const marks = (layout: Layout) => nameOf(layout, '_airbyte_marks')
const searches = (layout: Layout) => nameOf(layout, '_airbyte_searches')
const found = (layout: Layout) => nameOf(layout, '_airbyte_found')

/** How far a search is; `at` is the row from which it goes on, or where the value or its key stands. */
const STATE = { begun: 0, inChunk: 1, atMove: 2, inTable: 3, nowhere: 4 }

/** Not within a transaction: see `createIncoming`. They are the session's, and empty until they are needed. */
export async function createSearch(client: SqlClient, layout: Layout): Promise<void> {
  const options = tableOptions(layout)
  const position = layout.columns.find(({ name }) => name === layout.cursor)?.type ?? 'bigint'
  const create = (table: string, columns: string) =>
    client.execute(`CREATE TEMPORARY TABLE IF NOT EXISTS ${table} (${columns}) ${options}`)
  const numbered = 'place bigint NOT NULL PRIMARY KEY'
  await create(
    steps(layout),
    `${numbered}, owner bigint NOT NULL, lacks tinyint NOT NULL, is_move tinyint NOT NULL,
     known_before bigint NOT NULL, moves bigint NOT NULL, known bigint NULL, moved bigint NULL,
     origin bigint NULL, position ${position} NULL`,
  )
  await create(
    marks(layout),
    'is_move tinyint NOT NULL, owner bigint NOT NULL, number bigint NOT NULL, place bigint NOT NULL, PRIMARY KEY (is_move, owner, number)',
  )
  await create(
    searches(layout),
    `${numbered}, at bigint NOT NULL, state tinyint NOT NULL, moved_at ${position} NULL`,
  )
  await create(found(layout), `${numbered}, value longtext NULL, bytes longblob NULL`)
}

/** Fills them in; a value that is nowhere stays null and gets an entry in `_airbyte_meta.changes`. */
export async function keepUnchanged(
  client: SqlClient,
  layout: Layout,
  target: string,
): Promise<void> {
  const lists = await client.query(
    `SELECT DISTINCT ${quote(UNCHANGED)} FROM ${incoming(layout)} WHERE ${quote(UNCHANGED)} IS NOT NULL`,
  )
  const places = lists.flatMap(([list]) => JSON.parse(String(list)) as number[])
  for (const place of new Set(places)) await keepColumn(client, layout, target, place)
}

async function keepColumn(
  client: SqlClient,
  layout: Layout,
  target: string,
  place: number,
): Promise<void> {
  const column = layout.columns[place - 1]
  if (!column) return
  await noteSteps(client, layout, place)
  await search(client, layout, place)
  await client.execute(`DELETE FROM ${found(layout)}`)
  const into = column.column.type === 'binary' ? 'bytes' : 'value'
  for (const rows of [fromChunk, fromTable, fromOwnRow]) {
    // Where a value was found before, that one stays.
    await client.execute(
      `INSERT IGNORE INTO ${found(layout)} (place, ${into}) ${rows(layout, quote(column.name), place, target)}`,
    )
  }
  await client.execute(
    `UPDATE ${found(layout)} AS f STRAIGHT_JOIN ${incoming(layout)} AS i ON i.${quote(ORDER)} = f.place
     SET i.${quote(column.name)} = f.${into}`,
  )
  await recordMissing(client, layout, column.column.name)
}

/** Whether a row of this alias lacks the value. */
const lacks = (alias: string, place: number) =>
  `COALESCE(JSON_CONTAINS(${alias}.${quote(UNCHANGED)}, '${place}'), FALSE)`

async function noteSteps(client: SqlClient, layout: Layout, place: number): Promise<void> {
  const order = `i.${quote(ORDER)}`
  const op = `i.${quote(OP)}`
  const keys = layout.keys.map((key) => `i.${quote(key)}`).join(', ')
  const before = `OVER (ORDER BY ${order})`
  const upToHere = `OVER (PARTITION BY ${keys} ORDER BY ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)`
  const isMove = `(${lacks('i', place)} AND ${op} <=> 'm')`
  await client.execute(`DELETE FROM ${steps(layout)}`)
  await client.execute(
    `INSERT INTO ${steps(layout)}
       (place, owner, lacks, is_move, known_before, moves, origin, position)
     SELECT ${order}, DENSE_RANK() OVER (ORDER BY ${keys}), ${lacks('i', place)}, ${isMove},
       SUM(1 - ${lacks('i', place)}) ${upToHere} - (1 - ${lacks('i', place)}), SUM(${isMove}) ${upToHere},
       IF(LAG(${op}) ${before} <=> 'd', LAG(${order}) ${before}, NULL),
       ${layout.cursor ? `i.${quote(layout.cursor)}` : 'NULL'}
     FROM ${incoming(layout)} AS i`,
  )
  await client.execute(`DELETE FROM ${marks(layout)}`)
  for (const [isMark, move, number, wanted, into] of [
    ['NOT lacks', 0, 'known_before + 1', 'known_before', 'known'],
    ['is_move', 1, 'moves', 'moves', 'moved'],
  ] as const) {
    await client.execute(
      `INSERT INTO ${marks(layout)} SELECT ${move}, owner, ${number}, place FROM ${steps(layout)} WHERE ${isMark}`,
    )
    await client.execute(
      `UPDATE ${steps(layout)} AS s STRAIGHT_JOIN ${marks(layout)} AS m
       ON m.is_move = ${move} AND m.owner = s.owner AND m.number = s.${wanted} SET s.${into} = m.place`,
    )
  }
}

/** From each row that will stand to where its value is. */
async function search(client: SqlClient, layout: Layout, place: number): Promise<void> {
  const { begun, inChunk, atMove, inTable, nowhere } = STATE
  await client.execute(`DELETE FROM ${searches(layout)}`)
  await client.execute(
    `INSERT INTO ${searches(layout)} (place, at, state)
     SELECT l.place, l.place, ${begun} FROM ${latest(layout)} AS l
     STRAIGHT_JOIN ${incoming(layout)} AS i ON i.${quote(ORDER)} = l.place
     WHERE ${lacks('i', place)} AND NOT i.${quote(OP)} <=> 'd'`,
  )
  const each = `${searches(layout)} AS w STRAIGHT_JOIN ${steps(layout)} AS s ON s.place = w.at`
  const isMove = 's.moved IS NOT NULL AND COALESCE(s.known < s.moved, TRUE)'
  for (let moves = 1; moves > 0; ) {
    await client.execute(
      `UPDATE ${each} SET
         w.state = CASE WHEN ${isMove} THEN ${atMove} WHEN s.known IS NULL THEN ${inTable} ELSE ${inChunk} END,
         w.at = CASE WHEN ${isMove} THEN s.moved ELSE COALESCE(s.known, s.place) END
       WHERE w.state = ${begun}`,
    )
    const moved = await client.execute(
      `UPDATE ${each} SET w.moved_at = s.position, w.state = IF(s.origin IS NULL, ${nowhere}, ${begun}),
         w.at = COALESCE(s.origin, s.place) WHERE w.state = ${atMove}`,
    )
    moves = moved.rows
  }
}

/** Selects places of rows that lack the value of a column, each with the value. */
type Find = (layout: Layout, column: string, place: number, target: string) => string

const fromChunk: Find = (layout, column) =>
  `SELECT w.place, e.${column} FROM ${searches(layout)} AS w
   STRAIGHT_JOIN ${incoming(layout)} AS e ON e.${quote(ORDER)} = w.at
   WHERE w.state = ${STATE.inChunk} AND NOT e.${quote(OP)} <=> 'd'`

/** A row of the snapshot that was read after this one had moved away from its key is another one. */
const fromTable: Find = (layout, column, _place, target) => {
  const position = `t.${quote(layout.cursor ?? '')}`
  const before = layout.cursor
    ? `AND (${position} IS NULL OR t.${quote(GENERATION_ID)} < ${Number(layout.plan.minimumGenerationId)}
       OR w.moved_at IS NULL OR ABS(${position}) <= w.moved_at)`
    : ''
  return `SELECT w.place, t.${column} FROM ${searches(layout)} AS w
    STRAIGHT_JOIN ${incoming(layout)} AS k ON k.${quote(ORDER)} = w.at
    STRAIGHT_JOIN ${target} AS t ON ${sameKey(layout, 'k')}
    WHERE w.state = ${STATE.inTable} ${before}`
}

/** The change was applied before and is read again: the row has the value already. */
const fromOwnRow: Find = (layout, column, place, target) => {
  const cursor = quote(layout.cursor ?? '')
  const known = layout.cursor ? `AND t.${cursor} >= i.${cursor}` : ''
  return `SELECT i.${quote(ORDER)}, t.${column} FROM ${incoming(layout)} AS i
    STRAIGHT_JOIN ${target} AS t ON ${sameKey(layout, 'i')} ${known}
    WHERE ${lacks('i', place)}`
}

const sameKey = ({ keys }: Layout, alias: string) =>
  keys.map((key) => `t.${quote(key)} = ${alias}.${quote(key)}`).join(' AND ')

async function recordMissing(client: SqlClient, layout: Layout, field: string): Promise<void> {
  const change = `'field', ${text(field)}, 'change', 'NULLED', 'reason', 'SOURCE_RETRIEVAL_ERROR'`
  const meta = `i.${quote(META)}`
  await client.execute(
    `UPDATE ${searches(layout)} AS w STRAIGHT_JOIN ${incoming(layout)} AS i ON i.${quote(ORDER)} = w.place
     LEFT JOIN ${found(layout)} AS f ON f.place = w.place
     SET ${meta} = JSON_ARRAY_APPEND(${meta}, '$.changes', JSON_OBJECT(${change})) WHERE f.place IS NULL`,
  )
}
