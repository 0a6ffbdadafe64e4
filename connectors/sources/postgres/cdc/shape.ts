import type { ChangeFeedOptions } from '../../../../src/cdc/postgres/index.ts'
import { type Column, streamKey } from '../../../../src/protocol/index.ts'
import type { LogStream } from '../../../../src/runtime/source-log.ts'

/** Which of the log's tables are wanted, and which of their columns, in the types of the catalog. */
export function describeStreams(streams: LogStream[]): ChangeFeedOptions['describe'] {
  const wanted = new Map(streams.map((stream) => [streamKey(stream.stream), stream]))
  return ({ schema, name }, told) => {
    const stream = wanted.get(streamKey({ namespace: schema, name }))
    if (!stream) return undefined
    return {
      stream: streamKey(stream.stream),
      columns: columnsOf(stream, told),
      key: stream.primaryKey,
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

/** Whether two descriptions of a column are of one type. */
export const isSameType = (a: Column, b: Column) =>
  a.native?.type === b.native?.type && (a.native !== undefined || b.native === undefined)
