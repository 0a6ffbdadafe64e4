import { isDedup, type ReadEvent, type StreamState } from '../../../src/protocol/index.ts'
import { cursorColumn } from '../../../src/runtime/database/columns.ts'
import { readByCursor } from '../../../src/runtime/database/read-by-cursor.ts'
import { cursorKeys, keysetOf, type StreamReader } from './reader.ts'
import { scan } from './scan.ts'
import { onThisServer, serverOf } from './server.ts'
import {
  boundOf,
  boundSql,
  canBeNull,
  compareRow,
  hasXmin,
  nullsSql,
  type OrderKey,
  tellsNulls,
  windowSql,
} from './sql.ts'
import { type CursorBound, lowerBound, type Position } from './state.ts'

export async function freezeIncremental(reader: StreamReader): Promise<CursorBound> {
  const lookback = reader.configured.lookbackSeconds ?? 0
  const server = hasXmin(reader.relation) ? await serverOf(reader.client) : undefined
  const sql = boundSql(reader.relation, cursorOf(reader), lookback)
  const { rows } = await reader.client.query(sql)
  const { nullCount, ...bound } = boundOf(rows[0], lookback, server)
  return isMerged(reader) ? bound : { ...bound, ...(nullCount === undefined ? {} : { nullCount }) }
}

export async function* readIncremental(
  reader: StreamReader,
  state: StreamState | undefined,
): AsyncGenerator<ReadEvent> {
  const { relation, config, configured, key: stream } = reader
  const column = cursorOf(reader)
  const keys = cursorKeys(relation, column)
  const names = keys.map(({ name }) => name)
  const filenode = (names.includes('ctid') && relation.filenode) || undefined
  // With the cursor alone, rows of equal cursor could lie on both sides: no position to resume from.
  const isOrdered = keys.length > 1 || relation.key.includes(column.name)
  const saved = await onThisServer(reader.client, state, () => warnOfOtherServer(reader))
  yield* readByCursor<CursorBound, Position>({
    ...{ stream, table: relation, saved, cursorField: column.name },
    checkpoint_rows: config.checkpoint_rows,
    upper: () => (configured.upperBound as CursorBound | undefined) ?? freezeIncremental(reader),
    async *scanNulls({ nulls, nullRows }, upper) {
      if (!canBeNull(column)) return
      const isTold = tellsNulls(relation)
      // Without a lower bound (also: of an older version) all come again.
      if (nulls && !(isTold && nullRows) && !isMerged(reader)) return
      const lower = nulls && isTold ? nullRows : undefined
      const where = [nullsSql(column, lower, upper.nullRows)]
      yield* scan(reader, { where, keys: keysetOf(relation) ?? [] })
    },
    scanWindow: (lower, upper, from) =>
      scan(reader, {
        where: [windowSql(column, lowerBound(lower), upper), from && after(reader, keys, from)],
        keys,
      }),
    positionOf: ({ position }) =>
      isOrdered ? { keys: names, values: position, ...(filenode ? { filenode } : {}) } : undefined,
  })
}

/** Where the key changed or the table was rewritten meanwhile, rows of the last cursor value come again. */
function after({ relation }: StreamReader, keys: OrderKey[], from: Position): string {
  const sameKeys = from.keys.join('\0') === keys.map(({ name }) => name).join('\0')
  const sameAddresses = from.filenode === undefined || from.filenode === relation.filenode
  return sameKeys && sameAddresses
    ? compareRow(keys, '>', from.values)
    : compareRow(keys.slice(0, 1), '>=', from.values)
}

/** Merged by key, rows that come again are what they were. */
function warnOfOtherServer(reader: StreamReader): void {
  if (isMerged(reader)) return
  const { ctx, key, configured } = reader
  ctx.log(
    'warn',
    `The transaction numbers in the state of ${key} are not of this server, or of a time that it was set back from (it was restored, promoted or upgraded). Rows at the end of the cursor '${configured.cursorField[0]}' and rows without a value in it are read again, so that none is missed: those that were read before are doubled.`,
  )
}

const isMerged = ({ configured }: StreamReader) => isDedup(configured.destinationSyncMode)

const cursorOf = ({ relation, configured }: StreamReader) =>
  cursorColumn(relation.columns, configured.cursorField)
