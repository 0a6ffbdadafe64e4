import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { BinlogEvent } from '../../../src/cdc/mysql/binlog-event.ts'
import { TableChanges } from '../../../src/cdc/mysql/table-changes.ts'
import { FIELD, readTableMap, signsYears } from '../../../src/cdc/mysql/table-map.ts'
import { streamKey } from '../../../src/protocol/index.ts'

const lengthed = (text: string) => [text.length, ...Buffer.from(text)]

/** The description of `db.orders`, whose columns are named by their letters; `signs`: a bit each. */
function tableMap(types: number[], signs: number): BinlogEvent {
  const names = types.flatMap((_, i) => lengthed(String.fromCharCode(0x61 + i)))
  const bytes = Buffer.from([
    ...[1, 0, 0, 0, 0, 0, 1, 0],
    ...[...lengthed('db'), 0, ...lengthed('orders'), 0],
    ...[types.length, ...types, 0, 0],
    ...[1, 1, signs, 4, names.length, ...names],
  ])
  return { bytes, start: 0, end: bytes.length } as BinlogEvent
}

const YEARLY = [FIELD.long, FIELD.year, FIELD.long, FIELD.long]

describe('signs of numbers behind a YEAR', () => {
  it.each([
    ['of which the YEAR has one', 0b0010_0000, [false, false, true, false]],
    ['of which the YEAR has one, as MariaDB sets it', 0b1101_0000, [true, true, false, true]],
  ])('are those %s', (_, signs, expected) => {
    const { columns } = readTableMap(tableMap(YEARLY, signs))
    expect(columns.map(({ unsigned }) => unsigned)).toEqual(expected)
  })

  it.each([
    ['all are signed', 0b0000_0000, [undefined, undefined, undefined, undefined]],
    ['one is unsigned', 0b0010_0000, [undefined, undefined, true, true]],
    ['the one before the YEAR is', 0b1000_0000, [undefined, undefined, undefined, undefined]],
    ['all are unsigned, the YEAR too', 0b1111_0000, [undefined, undefined, undefined, undefined]],
  ])('are the same without it or not, where %s', (_, signs, expected) => {
    const { columns } = readTableMap(tableMap(YEARLY, signs))
    expect(columns.map(({ mayHaveOtherSign }) => mayHaveOtherSign)).toEqual(expected)
  })

  it.each(['8.0.15', '8.0.28', '8.0.28-debug', ''])(
    'are refused, with the column, in a log of %s',
    async (writer) => {
      const tables = changesOf(writer)
      const described = async () => tables.describe(tableMap(YEARLY, 0b0010_0000))
      await expect(described()).rejects.toMatchObject({
        ...{ code: 'TYPE_UNSUPPORTED', field: 'c' },
        message: expect.stringContaining('YEAR'),
      })
      await tables.describe(tableMap(YEARLY, 0b0000_0000))
    },
  )

  it.each(['8.0.29', '8.4.3', '9.7.4', '10.11.6-MariaDB-log', '11.4.2-MariaDB'])(
    'are taken from a log of %s',
    async (writer) => {
      expect(signsYears(writer)).toBe(true)
      await changesOf(writer).describe(tableMap(YEARLY, 0b0010_0000))
    },
  )
})

/** Everything of `db.orders` is wanted. */
function changesOf(writer: string): TableChanges {
  const stream = streamKey({ namespace: 'db', name: 'orders' })
  const field = { span: { lengthBytes: 0, size: 4 }, read: undefined }
  const tables = new TableChanges(
    {
      shapeOf: async ({ columns }) => ({
        ...{ stream, logged: columns },
        columns: columns.map(({ name }) => ({ name, type: 'integer' as const })),
        fields: columns.map((_, target) => ({ ...field, target })),
        key: [],
      }),
      streamOf: () => stream,
      columnsOf: async () => [],
      now: () => 0,
    },
    () => {},
  )
  tables.writer = writer
  return tables
}
