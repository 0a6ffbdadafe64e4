import { AirbyteError, type ReadEvent, type StreamState } from '../../../src/protocol/index.ts'
import { freezeRange, type Range, rangeSql } from './range.ts'
import { hasAddress, keysetOf, type StreamReader } from './reader.ts'
import { checkpoints, scan } from './scan.ts'
import { compareRow, fromItem, literal, type OrderKey } from './sql.ts'
import { asState, type FullRefreshState, parseFullRefresh } from './state.ts'

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
  const range = await freezeRange(reader)
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
  const state = parseFullRefresh(saved)
  if (state?.done) return
  const bound =
    (reader.configured.upperBound as FullRefreshBound | undefined) ??
    (await freezeFullRefresh(reader))
  const keys = keysetOf(reader.relation)
  const range = rangeSql(reader, bound.range)
  // Few rows of a range are cheaper to find by an index on its field and to sort than to meet by key.
  if (range) await reader.client.query('SET enable_sort = on')
  if (state && state.by !== bound.by) throw positionLost('its primary key changed')
  if (bound.by === 'key' && keys)
    yield* readByKey(reader, keys, state as ByKey | undefined, bound.key, range)
  else if (bound.by === 'ctid')
    yield* readByAddress(reader, state as ByAddress | undefined, bound, range)
  else yield* readWhole(reader, range)
}

type ByKey = Extract<FullRefreshState, { by: 'key' }>
type ByAddress = Extract<FullRefreshState, { by: 'ctid' }>

async function* readByKey(
  reader: StreamReader,
  keys: OrderKey[],
  state: ByKey | undefined,
  upper: string[] | null,
  range: string | undefined,
): AsyncGenerator<ReadEvent> {
  const names = keys.map(({ name }) => name)
  if (state?.position && state.position.keys.join('\0') !== names.join('\0')) {
    throw positionLost('its primary key changed')
  }
  const limit = rowsPerStatement(reader)
  const due = checkpoints(reader)
  let position = state?.position?.values
  const stateEvent = (done?: true): ReadEvent => ({
    type: 'state',
    stream: reader.key,
    state: asState({
      v: 1,
      type: 'full_refresh',
      by: 'key',
      ...(position ? { position: { keys: names, values: position } } : {}),
      ...(done ? { done } : {}),
    }),
  })
  for (let rows = limit; upper && rows === limit; ) {
    rows = 0
    const where = [
      position && compareRow(keys, '>', position),
      compareRow(keys, '<=', upper),
      range,
    ]
    for await (const scanned of scan(reader, { where, keys, limit })) {
      yield { type: 'batch', batch: scanned.batch }
      rows += scanned.rows
      position = scanned.position
      if (due(scanned)) yield stateEvent()
    }
  }
  yield stateEvent(true)
}

/** Rows per statement: some 64 MiB of table, so that no statement holds back the server's vacuum for long. */
function rowsPerStatement({ config, relation: { rows, pages } }: StreamReader): number {
  if (config.chunk_rows) return config.chunk_rows
  const width = rows && pages ? (pages * PAGE_BYTES) / rows : 200
  const fitting = Math.floor((config.chunk_bytes ?? KEYSET_BYTES) / width)
  return Math.min(Math.max(fitting, 1000), 1_000_000)
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
        block: block + step,
        ...(last ? { done: true } : {}),
      }),
    }
  }
}

/** One statement; a failure begins again from the start. */
async function* readWhole(
  reader: StreamReader,
  range: string | undefined,
): AsyncGenerator<ReadEvent> {
  for await (const { batch } of scan(reader, { where: [range], keys: [] })) {
    yield { type: 'batch', batch }
  }
  yield {
    type: 'state',
    stream: reader.key,
    state: asState({ v: 1, type: 'full_refresh', by: 'whole', done: true }),
  }
}

const positionLost = (why: string) =>
  new AirbyteError('STATE_INVALID', `The full refresh cannot go on where it stopped: ${why}.`, {
    hint: 'Refresh the stream: it is read again from the start.',
  })
