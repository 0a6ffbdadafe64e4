import type { ReadEvent, StreamState } from '../../../src/protocol/index.ts'
import { checkpoints } from '../../../src/runtime/database/checkpoints.ts'
import { savedFullRefresh } from '../../../src/runtime/database/cursor-state.ts'
import {
  type ByKey,
  positionLost,
  readByKeyset,
  rowsPerStatement,
} from '../../../src/runtime/database/keyset.ts'
import { freezeRange, type Range, rangeSql } from '../../../src/runtime/database/range.ts'
import { readWhole } from '../../../src/runtime/database/read-whole.ts'
import { qualified, quote } from '../../../src/runtime/mysql/sql.ts'
import { rangedOf } from './range.ts'
import { keysetOf, type StreamReader } from './reader.ts'
import { scan } from './scan.ts'
import { after, positionSql, upTo } from './sql.ts'

/** What a full refresh does not go beyond, and the rows that it keeps to. */
export type FullRefreshBound = Extent & { range?: Range }

type Extent =
  /** Largest primary key; null: the table was empty. */
  { by: 'key'; key: string[] | null } | { by: 'whole' }

type FullRefreshState = ByKey | { v: 1; type: 'full_refresh'; by: 'whole'; done: true }

const CHUNK_BYTES = 64 << 20

export async function freezeFullRefresh(reader: StreamReader): Promise<FullRefreshBound> {
  const range = await freezeRange(rangedOf(reader))
  const extent = await freezeExtent(reader)
  return range ? { ...extent, range } : extent
}

async function freezeExtent({ client, table }: StreamReader): Promise<Extent> {
  const keys = keysetOf(table)
  if (!keys) return { by: 'whole' }
  const list = keys.map(positionSql).join(', ')
  const order = keys.map(({ name }) => `${quote(name)} DESC`).join(', ')
  const [row] = await client.query(
    `SELECT ${list} FROM ${qualified(table)} ORDER BY ${order} LIMIT 1`,
  )
  return { by: 'key', key: (row as string[] | undefined) ?? null }
}

/** Reads the whole table, or the configured range of it, from its saved position on. */
export async function* readFullRefresh(
  reader: StreamReader,
  saved: StreamState | undefined,
): AsyncGenerator<ReadEvent> {
  const state = savedFullRefresh<FullRefreshState>(saved)
  if (state?.done) return
  const bound =
    (reader.configured.upperBound as FullRefreshBound | undefined) ??
    (await freezeFullRefresh(reader))
  const keys = keysetOf(reader.table)
  const range = rangeSql(rangedOf(reader), bound.range)
  if (state && state.by !== bound.by) throw positionLost('its primary key changed')
  if (bound.by !== 'key' || !keys) {
    yield* readWhole(reader.key, scan(reader, { where: [range], keys: [] }))
    return
  }
  const { config, table } = reader
  const { key: upper } = bound
  yield* readByKeyset({
    stream: reader.key,
    keys: table.key,
    upper,
    saved: state as ByKey | undefined,
    limit: config.chunk_rows ?? rowsPerStatement(table.rowBytes, config.chunk_bytes ?? CHUNK_BYTES),
    due: checkpoints(config),
    scan(position, limit) {
      const up = upper ? upTo(keys, upper) : undefined
      const where = [position && after(keys, position), up, range]
      // Few rows of a range are cheaper to find by an index on its field and to sort than to meet by key.
      return scan(reader, { where, keys, byPrimary: !range, limit })
    },
  })
}
