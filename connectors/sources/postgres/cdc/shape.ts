import {
  type ChangeFeedOptions,
  type FollowedTable,
  nameOf,
  type PgRelation,
  tableOid,
} from '../../../../src/cdc/postgres/index.ts'
import { type Column, streamKey } from '../../../../src/protocol/index.ts'
import type { LogStream } from '../../../../src/runtime/source-log.ts'

/**
 * Which of the log's tables are wanted, and which of their columns, in the types of the catalog. A table
 * is the one that was followed, whatever it is called by then; another that has its name is not.
 */
export function describeStreams(
  streams: LogStream[],
  tables: FollowedTable[],
): ChangeFeedOptions['describe'] {
  const wanted = new Map(streams.map((stream) => [streamKey(stream.stream), stream]))
  const oids = new Map(tables.map((table) => [nameOf(table), tableOid(table)]))
  const byOid = new Map([...oids].map(([name, oid]) => [oid, name]))
  return (relation, told) => {
    const name = nameOf(relation)
    const known = byOid.get(relation.oid)
    if (known === undefined && oids.get(name) !== undefined) return undefined
    const stream = wanted.get(known ?? name)
    if (!stream) return undefined
    const columns = columnsOf(stream, told)
    return {
      stream: streamKey(stream.stream),
      columns,
      key: stream.primaryKey,
      printed: printedColumns(stream, relation, columns),
    }
  }
}

/**
 * A column that the catalog does not know is new: it is kept, for the sync that will know it. The log
 * tells a type of the database's own as text; the catalog knows more of it, unless it was replaced.
 */
function columnsOf({ columns, selectedFields }: LogStream, told: Column[]): Column[] {
  const known = new Map(columns.map((column) => [column.name, column]))
  return told.flatMap((column) => {
    const found = known.get(column.name)
    if (!found) return [column]
    if (selectedFields && !selectedFields.includes(column.name)) return []
    return [isSameType(found, column) ? found : column]
  })
}

/**
 * Columns of the database's own types, of which only the catalog can tell what their values are: all but
 * those that were discovered to be texts (enums, ranges).
 */
function printedColumns(stream: LogStream, relation: PgRelation, columns: Column[]): string[] {
  const wanted = new Set(columns.map(({ name }) => name))
  const texts = new Set(stream.columns.filter(({ type }) => type === 'string').map((c) => c.name))
  return relation.columns
    .filter(({ name, typeOid }) => typeOid >= FIRST_OWN && wanted.has(name) && !texts.has(name))
    .map(({ name }) => name)
}

/** Object ids below are the server's. */
const FIRST_OWN = 16_384

/** Whether two descriptions of a column are of one type. */
export const isSameType = (a: Column, b: Column) =>
  a.native?.type === b.native?.type && (a.native !== undefined || b.native === undefined)
