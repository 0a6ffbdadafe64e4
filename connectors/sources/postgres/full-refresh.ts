import type { ReadEvent, StreamState } from '../../../src/protocol/index.ts'
import { checkpoints } from '../../../src/runtime/database/checkpoints.ts'
import { savedFullRefresh } from '../../../src/runtime/database/cursor-state.ts'
import {
  asState,
  type ByKey,
  positionLost,
  readByKeyset,
  rowsPerStatement,
} from '../../../src/runtime/database/keyset.ts'
import { freezeRange, type Range, rangeSql } from '../../../src/runtime/database/range.ts'
import { readWhole } from '../../../src/runtime/database/read-whole.ts'
import { rangedOf } from './range.ts'
import { hasAddress, keysetOf, type StreamReader } from './reader.ts'
import { scan } from './scan.ts'
import { isSameCluster, serverOf } from './server.ts'
import { compareRow, fromItem, literal, type OrderKey } from './sql.ts'
import type { FullRefreshState } from './state.ts'

/** What a full refresh does not go beyond, and the rows that it keeps to. */
export type FullRefreshBound = Extent & { range?: Range }

type Extent =
  /** Largest primary key; null: the table was empty. */
  | { by: 'key'; key: string[] | null }
  /** Pages, for planning only: rows that updates move to later pages meanwhile must not be missed. */
  | { by: 'ctid'; pages: number }
  | { by: 'whole' }

const PAGE_BYTES = 8192
const KEYSET_BYTES = 64 << 20
const ADDRESS_BYTES = 8 << 20
/** TID range scans exist from PostgreSQL 14. */
const TID_RANGES = 140_000

export async function freezeFullRefresh(reader: StreamReader): Promise<FullRefreshBound> {
  const range = await freezeRange(rangedOf(reader))
  const extent = await freezeExtent(reader)
  return range ? { ...extent, range } : extent
}

async function freezeExtent({ client, relation }: StreamReader): Promise<Extent> {
  const keys = keysetOf(relation)
  if (keys) {
    const list = keys.map(({ expression }) => `${expression}::text`).join(', ')
    const order = keys.map(({ expression }) => `${expression} DESC`).join(', ')
    const { rows } = await client.query<string[]>({
      text: `SELECT ${list} FROM ${fromItem(relation)} ORDER BY ${order} LIMIT 1`,
      rowMode: 'array',
    })
    return { by: 'key', key: rows[0] ?? null }
  }
  if (hasAddress(relation)) {
    const { rows } = await client.query("SELECT current_setting('server_version_num') AS version")
    if (Number(rows[0]?.version) >= TID_RANGES) {
      return { by: 'ctid', pages: relation.pages }
    }
  }
  return { by: 'whole' }
}

/** Reads the whole relation, or the configured range of it, from its saved position on. */
export async function* readFullRefresh(
  reader: StreamReader,
  saved: StreamState | undefined,
): AsyncGenerator<ReadEvent> {
  const state = savedFullRefresh<FullRefreshState>(saved)
  if (state?.done) return
  const bound =
    (reader.configured.upperBound as FullRefreshBound | undefined) ??
    (await freezeFullRefresh(reader))
  const keys = keysetOf(reader.relation)
  const range = rangeSql(rangedOf(reader), bound.range)
  // Few rows of a range are cheaper to find by an index on its field and to sort than to meet by key.
  if (range) await reader.client.query('SET enable_sort = on')
  if (state && state.by !== bound.by) throw positionLost('its primary key changed')
  if (bound.by === 'key' && keys)
    yield* readByKey(reader, keys, state as ByKey | undefined, bound.key, range)
  else if (bound.by === 'ctid')
    yield* readByAddress(reader, state as ByAddress | undefined, bound, range)
  else yield* readWhole(reader.key, scan(reader, { where: [range], keys: [] }))
}

type ByAddress = Extract<FullRefreshState, { by: 'ctid' }>

function readByKey(
  reader: StreamReader,
  keys: OrderKey[],
  saved: ByKey | undefined,
  upper: string[] | null,
  range: string | undefined,
): AsyncGenerator<ReadEvent> {
  const { config, relation } = reader
  const { rows, pages } = relation
  const rowBytes = rows && pages ? (pages * PAGE_BYTES) / rows : undefined
  return readByKeyset({
    stream: reader.key,
    keys: keys.map(({ name }) => name),
    upper,
    saved,
    limit: config.chunk_rows ?? rowsPerStatement(rowBytes, config.chunk_bytes ?? KEYSET_BYTES),
    due: checkpoints(config),
    scan(position, limit) {
      const where = [
        position && compareRow(keys, '>', position),
        upper ? compareRow(keys, '<=', upper) : undefined,
        range,
      ]
      return scan(reader, { where, keys, limit })
    },
  })
}

/** Page range after page range; the last one is open, for rows that moved there since. */
async function* readByAddress(
  reader: StreamReader,
  state: ByAddress | undefined,
  { pages }: { pages: number },
  range: string | undefined,
): AsyncGenerator<ReadEvent> {
  const current = reader.relation.filenode
  if (state && state.filenode !== current) throw positionLost('the table was rewritten')
  const server = await serverOf(reader.client)
  if (!isSameCluster(state?.server, server)) throw positionLost('the server is another one')
  const step = Math.max(1, Math.floor((reader.config.chunk_bytes ?? ADDRESS_BYTES) / PAGE_BYTES))
  let block = state?.block ?? 0
  for (let last = false; !last; block += step) {
    last = block + step >= pages
    const where = [
      `t.ctid >= ${literal(`(${block},0)`, 'tid')}`,
      last ? undefined : `t.ctid < ${literal(`(${block + step},0)`, 'tid')}`,
      range,
    ]
    for await (const { batch } of scan(reader, { where, keys: [] })) {
      yield { type: 'batch', batch }
    }
    yield {
      type: 'state',
      stream: reader.key,
      state: asState({
        v: 1,
        type: 'full_refresh',
        by: 'ctid',
        filenode: current,
        server,
        block: block + step,
        ...(last ? { done: true } : {}),
      }),
    }
  }
}
