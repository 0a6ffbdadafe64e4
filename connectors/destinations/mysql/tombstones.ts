/**
 * What was deleted, so that a change that is read again resurrects nothing: in `_airbyte_tombstones`
 * a row per deleted key with the position (the cursor's value) of its deletion, and one with an empty
 * key for the last truncate. A row that ranks below its tombstone is late, and left out. A deletion
 * without a cursor leaves none.
 */
import { quote, text } from '../../../src/runtime/mysql/sql.ts'
import { isDelete } from './deletes.ts'
import { incoming, type Layout, nameOf } from './layout.ts'
import type { SqlClient } from './session.ts'
import { ofGeneration, ofStream, STREAM_ID, streamId } from './stream-id.ts'
import { COLUMN_TYPES, castTo, trimmed } from './types.ts'

/** How long a source may go back to an older position. */
const KEPT_DAYS = 30
/** The key of what a truncate leaves. */
const ALL_KEYS = "''"

export const tombstones = (layout: Layout) => nameOf(layout, '_airbyte_tombstones')

export const createTombstones = (layout: Layout) => `
  CREATE TABLE IF NOT EXISTS ${tombstones(layout)} (
    ${STREAM_ID},
    generation_id BIGINT NOT NULL,
    deleted_key VARBINARY(32) NOT NULL,
    position LONGTEXT NOT NULL,
    buried_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    PRIMARY KEY (stream_id, generation_id, deleted_key),
    KEY (buried_at)
  )`

const typeOf = ({ columns }: Layout, name: string | null) =>
  columns.find((column) => column.name === name)?.type ?? 'longtext'

/** A key in fixed length, whatever its columns. */
function digest(layout: Layout): string {
  const parts = layout.keys.map((key) => {
    const cell = `i.${quote(key)}`
    const type = typeOf(layout, key)
    if (/^(?:varchar|varbinary|longtext)/.test(type)) return `HEX(${cell})`
    return `HEX(CAST(${type === COLUMN_TYPES.number ? trimmed(cell) : cell} AS CHAR))`
  })
  return `UNHEX(SHA2(CONCAT_WS(',', ${parts.join(', ')}), 256))`
}

/** Whether the stream has any: most never do, and pay no more than this question. */
export async function hasTombstones(client: SqlClient, layout: Layout): Promise<boolean> {
  if (!layout.cursor) return false
  const [row] = await client.query(
    `SELECT EXISTS (SELECT 1 FROM ${tombstones(layout)} WHERE ${ofGeneration(layout)})`,
  )
  return row?.[0] === '1'
}

const ofChunk = (layout: Layout) =>
  `${incoming(layout)} AS i STRAIGHT_JOIN ${tombstones(layout)} AS s
   ON s.${ofGeneration(layout).replace(' AND ', ' AND s.')} AND s.deleted_key = ${digest(layout)}`

/** Takes late rows out of the chunk. */
export async function dropLate(client: SqlClient, layout: Layout): Promise<void> {
  if (!layout.cursor) return
  const type = typeOf(layout, layout.cursor)
  const cursor = `i.${quote(layout.cursor)}`
  const late = (position: string) => `(${cursor} IS NULL OR ${cursor} < ${castTo(type, position)})`
  const [all] = await client.query(
    `SELECT position FROM ${tombstones(layout)}
     WHERE ${ofGeneration(layout)} AND deleted_key = ${ALL_KEYS}`,
  )
  if (all?.[0] != null)
    await client.execute(`DELETE i FROM ${incoming(layout)} AS i WHERE ${late(text(all[0]))}`)
  await client.execute(`DELETE i FROM ${ofChunk(layout)} WHERE ${late('s.position')}`)
}

/** Leaves a tombstone for each of these rows that has a position. */
export async function bury(client: SqlClient, layout: Layout, deleted: string): Promise<void> {
  if (!layout.cursor) return
  const cursor = `i.${quote(layout.cursor)}`
  await put(
    client,
    layout,
    `${digest(layout)}, ${cursor} FROM ${incoming(layout)} AS i
     WHERE ${deleted} AND ${cursor} IS NOT NULL`,
  )
}

/** A truncate at this position: whatever ranks below it is gone, older tombstones with it. */
export async function buryAll(client: SqlClient, layout: Layout, position: string): Promise<void> {
  if (!layout.cursor) return
  const type = typeOf(layout, layout.cursor)
  await client.execute(
    `DELETE FROM ${tombstones(layout)} WHERE ${ofGeneration(layout)}
     AND ${castTo(type, 'position')} <= ${castTo(type, text(position))}`,
  )
  await put(client, layout, `${ALL_KEYS}, ${text(position)}`)
}

async function put(client: SqlClient, layout: Layout, rows: string): Promise<void> {
  const type = typeOf(layout, layout.cursor)
  const isLater = `${castTo(type, 'VALUES(position)')} > ${castTo(type, `${tombstones(layout)}.position`)}`
  await client.execute(
    `INSERT INTO ${tombstones(layout)} (stream_id, generation_id, deleted_key, position)
     SELECT ${text(streamId(layout))}, ${Number(layout.plan.generationId)}, ${rows}
     ON DUPLICATE KEY UPDATE buried_at = IF(${isLater}, VALUES(buried_at), buried_at),
       position = IF(${isLater}, VALUES(position), ${tombstones(layout)}.position)`,
  )
}

/** The rows that are no deletions stand again, and rank above their tombstones. */
export async function unbury(client: SqlClient, layout: Layout): Promise<void> {
  await client.execute(`DELETE s FROM ${ofChunk(layout)} WHERE NOT ${isDelete(layout, 'i')}`)
}

/** Forgets those of older generations, and what no source goes back to. */
export async function pruneTombstones(client: SqlClient, layout: Layout): Promise<void> {
  await client.execute(
    `DELETE FROM ${tombstones(layout)} WHERE ${ofStream(layout)}
     AND (generation_id < ${Number(layout.plan.generationId)}
       OR buried_at < NOW() - INTERVAL ${KEPT_DAYS} DAY)`,
  )
}
