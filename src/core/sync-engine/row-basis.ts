import {
  AirbyteError,
  type AirbyteStream,
  type StreamKey,
  type StreamMapping,
} from '../../protocol/index.ts'
import { mappedPath } from '../normalization/index.ts'

/** What the rows of a stream that are at its destination come from. */
export interface RowBasis {
  /** @see AirbyteStream.column_ids; also of those that are gone since. */
  columns?: Record<string, string>
  /** Under dedup: how the columns of the key were written. */
  key?: Record<string, WrittenColumn>
}

interface WrittenColumn {
  as: string
  hashed: boolean
}

/** How a mapping writes the columns of a key. */
export function keyColumns(
  primaryKey: string[][],
  mapping: StreamMapping = {},
): Record<string, WrittenColumn> {
  const hashed = new Set(mapping.hash)
  const columns = primaryKey.flatMap(([name]) =>
    name === undefined
      ? []
      : [[name, { as: mappedPath([name], mapping)[0] ?? name, hashed: hashed.has(name) }] as const],
  )
  return Object.fromEntries(columns)
}

/** The basis of rows that come from now on, beside those that are there. */
export function basisOf(
  { column_ids: ids = {} }: AirbyteStream,
  columns: string[],
  key: RowBasis['key'],
  before: RowBasis = {},
): RowBasis {
  const now = columns.flatMap((name) => {
    const id = ids[name]
    return id === undefined ? [] : [[name, id]]
  })
  const all = { ...before.columns, ...Object.fromEntries(now) }
  return { ...(Object.keys(all).length > 0 && { columns: all }), ...(key && { key }) }
}

/**
 * A column that was dropped and made anew, or has the name of another, is no different one by its name
 * and type; only rows that change would get what it has now.
 *
 * @throws SCHEMA_CHANGED
 */
export function refuseRemade(stream: StreamKey, before: RowBasis, now: RowBasis): void {
  const remade = Object.keys(now.columns ?? {}).filter((name) =>
    isRemade(before.columns?.[name], now.columns?.[name]),
  )
  if (remade.length === 0) return
  const names = remade.map((name) => `column '${name}'`).join(', ')
  const message = `${stream} has another column under a known name (${names}), made anew or renamed since the last sync: rows that do not change would keep what they had there.`
  throw new AirbyteError('SCHEMA_CHANGED', message, {
    ...{ stream, field: remade[0] },
    hint: 'Refresh the stream: it is read again from the start.',
  })
}

/** Of another table nothing is known: it may be the same one, restored from a dump. */
const isRemade = (before: string | undefined, now: string | undefined): boolean =>
  before !== undefined && before !== now && tableOf(before) === tableOf(now)

const tableOf = (id: string | undefined) => id?.split('/', 1)[0]
