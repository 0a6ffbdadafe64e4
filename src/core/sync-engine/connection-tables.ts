import type { Column, StreamDescriptor } from '../../protocol/index.ts'
import { streamKey } from '../../protocol/index.ts'
import { tablesIn } from '../normalization/index.ts'
import type { PlannedStream, SyncInput } from './types.ts'

/** A table of a connection's stream, without the connection's prefix: its own, or that of an array. */
export interface ConnectionTable extends StreamDescriptor {
  /** Key of the stream. */
  stream: string
}

/** A table of a connection as its destination keeps who owns it. */
export const targetKey = (
  { namespace: common, prefix = '' }: { namespace?: string; prefix?: string },
  { name, namespace: own }: StreamDescriptor,
  namespaces: boolean,
): string =>
  streamKey({ name: `${prefix}${name}`, namespace: namespaces ? (common ?? own) : undefined })

/** The tables that a connection's streams have as far as is known before planning. */
export const knownTables = (
  streams: StreamDescriptor[],
  columnsOf: (key: string) => Column[],
): ConnectionTable[] =>
  streams.flatMap(({ name, namespace }) => {
    const stream = streamKey({ name, namespace })
    const arrays = tablesIn(columnsOf(stream)).map(({ table }) => table)
    return [name, ...arrays].map((table) => ({ name: table, namespace, stream }))
  })

/** Names that a stream's new tables cannot have: other streams' tables in the same namespace. */
export function takenFrom(
  { tables = [], namespace: common }: Pick<SyncInput, 'tables' | 'namespace'>,
  stream: StreamDescriptor,
): Set<string> {
  const inOne = (other: StreamDescriptor) =>
    common !== undefined || other.namespace === stream.namespace
  const own = streamKey(stream)
  const others = tables.filter((table) => table.stream !== own && inOne(table))
  return new Set([stream.name, ...others.map(({ name }) => name)])
}

/** The tables of a planned stream's arrays, for those that are planned after it. */
export const tablesOfArrays = ({ key, configured, flattened }: PlannedStream): ConnectionTable[] =>
  tablesIn(flattened ?? []).map(({ table }) => ({
    ...{ name: table, stream: key },
    namespace: configured.stream.namespace,
  }))
