/** For readers of the warehouse: which files make up a stream now, and the SQL that reads them. */

import { type Column, DELETED_AT, isDedup } from '../../../src/protocol/index.ts'
import type { ObjectStore, StreamPlan } from '../../../src/runtime/contract.ts'
import { declaredNumber } from '../../../src/runtime/formats/declared-number.ts'
import {
  type CurrentDocument,
  type FileFormat,
  isUnplaced,
  readCurrent,
  readTarget,
} from './document.ts'
import { formatOf, layoutOf } from './layout.ts'
import { entriesOf } from './ledger.ts'
import { META, METADATA, PARENT_ID, RAW_ID, ROOT_ID } from './table.ts'
import { leftOutText } from './unchanged.ts'

export interface CurrentFile {
  /** Relative to the workspace. */
  key: string
  format: FileFormat
  rows: number
  bytes: number
  /** How many of the rows are deletes. */
  deletes: number
  /** Some of them have no cursor: see `LatestRows`. */
  unplaced: boolean
  truncates: number
  /** Columns that some of the rows left out: their entry in `_airbyte_meta` says `UNCHANGED`. */
  unchanged: string[]
  generation: number
}

export interface CurrentStream {
  /** In the order of loading. */
  files: CurrentFile[]
  /** Columns after the metadata columns. */
  columns: Column[]
  mode: CurrentDocument['mode']
  primaryKey: string[][]
  latestBy: CurrentDocument['latestBy']
  /** Of an array's table: the stream that has the array. */
  parent?: CurrentStream
}

/** The committed files of a stream as they are now; null where nothing was ever loaded. */
export async function currentFiles(
  store: ObjectStore,
  target: StreamPlan['target'],
  pathPrefix = '',
): Promise<CurrentStream | null> {
  const layout = layoutOf(pathPrefix, target)
  const found = await readTarget(store, layout.current)
  if (!found) return null
  if ('childOf' in found.document) {
    return childFiles(store, found.document.childOf, target.table, pathPrefix)
  }
  const { visible, columns, mode, primaryKey, latestBy } = found.document
  const files: CurrentFile[] = []
  for (const ledger of visible) {
    for await (const entry of entriesOf(store, layout, ledger)) {
      const { file, rows, bytes, deletes, truncates = 0, unchanged = [] } = entry
      if (!file) continue
      files.push({
        ...{ key: file, format: formatOf(file), rows, bytes, deletes, truncates },
        ...{ unchanged, unplaced: isUnplaced(entry), generation: ledger.generation },
      })
    }
  }
  return { files, columns, mode, primaryKey, latestBy }
}

async function childFiles(
  store: ObjectStore,
  target: StreamPlan['target'],
  name: string,
  pathPrefix: string,
): Promise<CurrentStream | null> {
  const parent = await currentFiles(store, target, pathPrefix)
  const layout = layoutOf(pathPrefix, target)
  const document = (await readCurrent(store, layout.current))?.document
  const child = document?.children?.find(({ table }) => table === name)
  if (!document || !child || !parent) return null
  const files: CurrentFile[] = []
  for (const { generation, ...ledger } of document.visible) {
    for await (const entry of entriesOf(store, layout, { ...ledger, generation })) {
      for (const { table, file, rows, bytes } of entry.children ?? []) {
        if (table !== name) continue
        const plain = { deletes: 0, truncates: 0, unplaced: false, unchanged: [] }
        files.push({ key: file, format: formatOf(file), rows, bytes, ...plain, generation })
      }
    }
  }
  const { columns } = child
  return {
    ...{ files, columns, parent, mode: 'append', primaryKey: [] },
    latestBy: { keys: [], cursor: null },
  }
}

/**
 * DuckDB SQL that reads every row of the stream, with the metadata columns.
 *
 * @param urlOf turns a key into what DuckDB opens: a path, an https or an r2 URL
 */
export function allRowsSql(stream: CurrentStream, urlOf: (key: string) => string): string {
  const columns = [...METADATA, ...stream.columns]
  const sources = (['Parquet', 'JSONL', 'CSV'] as const).flatMap((format) => {
    const urls = stream.files.filter((file) => file.format === format).map(({ key }) => urlOf(key))
    return urls.length === 0 ? [] : [`SELECT * FROM ${scan(format, urls, columns)}`]
  })
  if (sources.length === 0) {
    const empty = columns.map((column) => `NULL::${duckType(column)} AS ${quote(column.name)}`)
    return `SELECT ${empty.join(', ')}, NULL::VARCHAR AS filename WHERE false`
  }
  return sources.join(' UNION ALL BY NAME ')
}

/**
 * DuckDB SQL of the deduplicated stream: of each key the row that stands, by the rules of
 * `LatestRows`. For other modes it is every row. Of an array's table the elements of those rows.
 *
 * @example
 * const stream = await currentFiles(store, { namespace: 'public', table: 'users' })
 * const sql = latestByKeySql(stream, (key) => `./warehouse/${key}`)
 */
export function latestByKeySql(stream: CurrentStream, urlOf: (key: string) => string): string {
  const all = allRowsSql(stream, urlOf)
  if (stream.parent && isDedup(stream.parent.mode)) {
    return `SELECT * EXCLUDE (filename) FROM (${all})
WHERE ${quote(ROOT_ID)} IN (SELECT ${quote(RAW_ID)} FROM (${latestByKeySql(stream.parent, urlOf)}))`
  }
  if (!isDedup(stream.mode)) return `SELECT * EXCLUDE (filename) FROM (${all})`
  const key = stream.latestBy.keys.map(quote).join(', ')
  const files = stream.files.map(
    ({ key, unplaced }, i) => `(${literal(urlOf(key))}, ${i}, ${unplaced})`,
  )
  const index = `('0x' || right(${quote(RAW_ID)}::VARCHAR, 8))::BIGINT`
  const placed = `SELECT file_rows.*, file_order * 4294967296 + ${index} AS _airbyte_place, file_order AS _airbyte_file, unplaced AS _airbyte_unplaced
FROM (${all}) AS file_rows
JOIN (VALUES ${files.join(', ') || `('', 0, false)`}) AS files(filename, file_order, unplaced) USING (filename)`
  const kept = untruncated(stream, placed)
  const hasUnplaced = stream.files.some(({ unplaced }) => unplaced)
  const rows = completed(stream, hasUnplaced ? undeleted(stream, kept, key) : kept, key)
  const isLast = '_airbyte_place = _airbyte_last'
  const newest = `SELECT * FROM (${hasUnplaced ? `SELECT * FROM (${rows}) WHERE NOT _airbyte_unplaced OR ${isLast}` : rows})
QUALIFY row_number() OVER (PARTITION BY ${key} ORDER BY ${newestFirst(stream)}_airbyte_place DESC) = 1`
  const helpers = hasUnplaced ? ', _airbyte_deleted, _airbyte_last' : ''
  return `SELECT * EXCLUDE (filename, _airbyte_place, _airbyte_file, _airbyte_unplaced${helpers}) FROM (
${newest})
WHERE ${quote(DELETED_AT)} IS NULL`
}

/**
 * With the values that rows left out: what the row had that stood for the key before, null after a
 * deletion. A row that ranks below one before it never stood. Of a file with deletes without a cursor
 * all rows of a key rank as the last one.
 */
function completed(stream: CurrentStream, rows: string, key: string): string {
  const leftOut = new Set(stream.files.flatMap(({ unchanged }) => unchanged))
  const columns = stream.columns.filter(({ name }) => leftOut.has(name))
  if (columns.length === 0) return rows
  const { cursor } = stream.latestBy
  const hasUnplaced = stream.files.some(({ unplaced }) => unplaced)
  const order = 'ORDER BY _airbyte_place'
  const ofLast = `last_value(_airbyte_rank) OVER (PARTITION BY ${key}, _airbyte_file ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)`
  const rank = `dense_rank() OVER (PARTITION BY ${key} ORDER BY ${cursor === null ? '1' : rankOf(stream, cursor)})`
  const ranked = `SELECT *, ${rank} AS _airbyte_rank FROM (${rows})`
  const ranks = hasUnplaced
    ? `SELECT * REPLACE (CASE WHEN _airbyte_unplaced THEN ${ofLast} ELSE _airbyte_rank END AS _airbyte_rank) FROM (${ranked})`
    : ranked
  const told = columns.map(({ name }) => {
    const value = `CASE WHEN ${quote(DELETED_AT)} IS NOT NULL THEN {'told': NULL}
WHEN contains(${quote(META)}::VARCHAR, ${literal(leftOutText(name))}) THEN NULL ELSE {'told': ${quote(name)}} END`
    return `(last_value(${value} IGNORE NULLS) OVER before).told AS ${quote(name)}`
  })
  return `SELECT * EXCLUDE (_airbyte_rank, _airbyte_highest) REPLACE (${told.join(', ')}) FROM (
SELECT * FROM (SELECT *, max(_airbyte_rank) OVER (PARTITION BY ${key} ${order}) AS _airbyte_highest FROM (${ranks}))
WHERE _airbyte_rank = _airbyte_highest)
WINDOW before AS (PARTITION BY ${key} ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)`
}

/** Without what the last truncate ended, and the truncates themselves. */
function untruncated({ files, latestBy }: CurrentStream, rows: string): string {
  if (files.every(({ truncates }) => truncates === 0)) return rows
  const keyless = latestBy.keys.map((name) => `${quote(name)} IS NULL`).join(' OR ')
  const cursor = latestBy.cursor === null ? 'NULL' : quote(latestBy.cursor)
  const ranksBelow =
    latestBy.cursor === null
      ? 'false'
      : `(r.${cursor} IS NULL OR r.${cursor} < last_truncate.position)`
  const notAbove =
    latestBy.cursor === null
      ? 'true'
      : `(last_truncate.position IS NULL OR ${ranksBelow} OR r.${cursor} = last_truncate.position)`
  return `SELECT r.* FROM (${rows}) AS r LEFT JOIN (
SELECT _airbyte_place AS place, ${cursor} AS position FROM (${rows}) WHERE ${keyless} ORDER BY place DESC LIMIT 1) AS last_truncate ON true
WHERE NOT (${keyless}) AND (last_truncate.place IS NULL
OR CASE WHEN _airbyte_place < last_truncate.place THEN NOT ${notAbove} ELSE NOT (last_truncate.position IS NOT NULL AND ${ranksBelow}) END)`
}

/** Without what deletes that have no cursor ended; with the place of the last row of a key in its file. */
const undeleted = ({ latestBy }: CurrentStream, rows: string, key: string) => `SELECT * FROM (
SELECT *, max(_airbyte_place) FILTER (WHERE ${quote(DELETED_AT)} IS NOT NULL${latestBy.cursor === null ? '' : ` AND ${quote(latestBy.cursor)} IS NULL`}) OVER (PARTITION BY ${key}) AS _airbyte_deleted,
max(_airbyte_place) OVER (PARTITION BY ${key}, _airbyte_file) AS _airbyte_last
FROM (${rows}))
WHERE _airbyte_place > coalesce(_airbyte_deleted, -1)`

/** Sort terms of the cursor. A decimal may be text in the file: its double goes first. */
function rankOf({ columns }: CurrentStream, cursor: string, order = 'ASC NULLS FIRST'): string {
  const byValue = `${quote(cursor)} ${order}`
  const isNumber = columns.find(({ name }) => name === cursor)?.type === 'number'
  return isNumber ? `TRY_CAST(${quote(cursor)} AS DOUBLE) ${order}, ${byValue}` : byValue
}

const newestFirst = (stream: CurrentStream) =>
  stream.latestBy.cursor === null
    ? ''
    : `${rankOf(stream, stream.latestBy.cursor, 'DESC NULLS LAST')}, `

function scan(format: FileFormat, urls: string[], columns: Column[]): string {
  const list = `[${urls.map(literal).join(', ')}]`
  const typeOf = format === 'JSONL' ? jsonType : duckType
  const types = columns.map((column) => `${literal(column.name)}: ${literal(typeOf(column))}`)
  switch (format) {
    case 'Parquet':
      return `read_parquet(${list}, union_by_name = true, hive_partitioning = false, filename = true)`
    case 'JSONL':
      return `read_json(${list}, format = 'newline_delimited', columns = {${types.join(', ')}}, filename = true, hive_partitioning = false)`
    case 'CSV':
      return `read_csv(${list}, header = true, delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, union_by_name = true, types = {${types.join(', ')}}, filename = true, hive_partitioning = false)`
  }
}

/**
 * DuckDB parses every JSON number with a fraction as a double, whatever type is asked: the digits
 * that the file has beyond 17 are lost to it (not to `readBack`). Asking for a decimal would fail.
 */
function jsonType(column: Column): string {
  if (column.type === 'number') return 'DOUBLE'
  // As VARCHAR a JSON string would lose its quotes.
  return ['object', 'array', 'unknown'].includes(column.type) ? 'JSON' : duckType(column)
}

const IDS = new Set([RAW_ID, PARENT_ID, ROOT_ID])

/** The DuckDB type in which the text formats are read. */
function duckType(column: Column): string {
  const { name, type, native } = column
  if (IDS.has(name)) return 'UUID'
  switch (type) {
    case 'integer':
      return 'BIGINT'
    case 'number': {
      const declared = declaredNumber(column)
      if (typeof declared === 'object' && declared.digits <= 38)
        return `DECIMAL(${declared.digits},${declared.scale})`
      return /^(?:numeric|decimal)\b/i.test(native?.type ?? '') ? 'VARCHAR' : 'DOUBLE'
    }
    case 'boolean':
      return 'BOOLEAN'
    case 'date':
      return 'DATE'
    case 'time_without_timezone':
      return 'TIME'
    case 'timestamp_with_timezone':
      return 'TIMESTAMPTZ'
    case 'timestamp_without_timezone':
      return 'TIMESTAMP'
    default:
      return 'VARCHAR'
  }
}

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`
const literal = (text: string) => `'${text.replaceAll("'", "''")}'`
