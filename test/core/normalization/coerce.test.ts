import { describe, expect, it } from 'vitest'
import sampleData from '../../../connectors/sources/sample-data/index.ts'
import { coerceToLimits } from '../../../src/core/normalization/index.ts'
import {
  type AirbyteType,
  type Cell,
  type Column,
  columnsOf,
  type RecordBatch,
} from '../../../src/protocol/index.ts'
import type { ValueLimits } from '../../../src/runtime/contract.ts'
import { testContext } from '../../conformance/context.ts'

const ANY: ValueLimits = { nulInText: true, nonFinite: true, years: [-4713, 294_276] }
const POSTGRES: ValueLimits = { ...ANY, integerBits: 64, nulInText: false }
const NARROW: ValueLimits = {
  integerBits: 32,
  textBytes: 10,
  nulInText: false,
  nonFinite: false,
  years: [1, 9999],
}

function batchOf(columns: Column[], ...rows: Cell[][]): RecordBatch {
  return {
    kind: 'records',
    stream: 's',
    schema: columns,
    length: rows.length,
    columns: columns.map((_, c) => rows.map((row) => row[c] as Cell)),
    extractedAt: 0,
  }
}

/** One value through a column of its type: what became of it. */
function coerced(type: AirbyteType, value: Cell, limits: ValueLimits) {
  const columns: Column[] = [{ name: 'v', type }]
  const { batch, nulled } = coerceToLimits(batchOf(columns, [value]), columns, limits, [])
  const reason = batch.changes?.[0]?.reason.replace('DESTINATION_', '')
  return nulled === 0 ? batch.columns[0]?.[0] : reason
}

const SIZE = 'FIELD_SIZE_LIMITATION'
const SERIAL = 'SERIALIZATION_ERROR'
const CAST = 'TYPECAST_ERROR'

describe('a value that fits', () => {
  it.each<[AirbyteType, Cell]>([
    ['string', 'a 漢字 👩‍👩‍👧‍👦'],
    ['binary', 'AAEC/w=='],
    ['boolean', false],
    ['integer', 9_223_372_036_854_775_807n],
    ['integer', -0],
    ['number', '12345678901234567890.12345678901234567890'],
    ['number', Number.NaN],
    ['number', '-Infinity'],
    ['number', '1e-7'],
    ['date', '0044-03-15 BC'],
    ['date', '12345-01-01'],
    ['date', 'infinity'],
    ['time_without_timezone', '24:00:00'],
    ['time_with_timezone', '23:59:59.999999-15:30'],
    ['timestamp_without_timezone', '0001-01-01T00:00:00'],
    ['timestamp_with_timezone', '2024-02-29T23:59:60.5+05:30'],
    ['timestamp_with_timezone', '2024-02-29 23:59:59Z'],
    ['timestamp_with_timezone', '0044-03-15T00:00:00Z BC'],
    ['object', '{"a":"\\\\u0000","b":"\\ud83d\\ude00"}'],
    ['array', ' []'],
    ['unknown', 'null'],
  ])('of type %s stays: %s', (type, value) => {
    expect(coerced(type, value, POSTGRES)).toBe(value)
  })
})

describe('a value with an equal in its type', () => {
  it.each<[AirbyteType, Cell, Cell]>([
    ['string', 42, '42'],
    ['string', true, 'true'],
    ['string', 12345678901234567890n, '12345678901234567890'],
    ['integer', '42', 42],
    ['integer', '-9007199254740993', -9_007_199_254_740_993n],
    ['integer', '42.00', 42],
    ['integer', 1e18, 1_000_000_000_000_000_000n],
    ['boolean', 'true', true],
    ['unknown', 7, '7'],
  ])('of type %s is converted: %s', (type, value, expected) => {
    expect(coerced(type, value, POSTGRES)).toBe(expected)
  })
})

describe('a value that does not fit', () => {
  it.each<[AirbyteType, Cell, string]>([
    ['string', 'nul \0', SERIAL],
    ['string', 'lone \ud800', SERIAL],
    ['string', 'eleven byte', SIZE],
    ['string', '漢字漢字', SIZE],
    ['binary', 'not base64!', CAST],
    ['boolean', 1, CAST],
    ['integer', 2_147_483_648, SIZE],
    ['integer', 2n ** 70n, SIZE],
    ['integer', 1e300, SIZE],
    ['integer', 1.5, CAST],
    ['integer', Number.NaN, CAST],
    ['integer', '9'.repeat(5000), CAST],
    ['integer', '0x10', CAST],
    ['integer', '', CAST],
    ['number', Number.POSITIVE_INFINITY, SERIAL],
    ['number', 'NaN', SERIAL],
    ['number', '1,5', CAST],
    ['number', '1e999999999', CAST],
    ['number', true, CAST],
    ['date', '2024-02-30', CAST],
    ['date', '1900-02-29', CAST],
    ['date', '2024-13-01', CAST],
    ['date', '2024-1-1', CAST],
    ['date', '0000-01-01', CAST],
    ['date', '99999-01-01', SIZE],
    ['date', '0044-03-15 BC', SIZE],
    ['date', '-infinity', SIZE],
    ['date', 20240229, CAST],
    ['time_without_timezone', '25:00:00', CAST],
    ['time_without_timezone', '24:00:01', CAST],
    ['time_without_timezone', '12:00:00Z', CAST],
    ['time_with_timezone', '12:00:00+99', CAST],
    ['timestamp_without_timezone', '2024-01-01T00:00:00Z', CAST],
    ['timestamp_with_timezone', '2024-01-01', CAST],
    ['timestamp_with_timezone', '2024-01-01T00:00:00.Z', CAST],
    ['timestamp_with_timezone', "2024-01-01T00:00:00Z'; drop table x", CAST],
    ['object', '{}x', CAST],
    ['object', '[]', CAST],
    ['object', 7, CAST],
    ['array', '{}', CAST],
    ['unknown', '{"a":', CAST],
    ['unknown', '"\\u0000"', SERIAL],
    ['unknown', '"\\ud800"', SERIAL],
    ['unknown', '"\\udc00"', SERIAL],
    ['object', '{"long":1234}', SIZE],
  ])('of type %s becomes null: %s', (type, value, reason) => {
    expect(coerced(type, value, NARROW)).toBe(reason)
  })
})

describe('coerceToLimits', () => {
  const columns: Column[] = [
    { name: 'id', type: 'integer' },
    { name: 'name', type: 'string' },
  ]

  it('returns the same batch when everything fits', () => {
    const batch = batchOf(columns, [1, 'a'], [null, null])
    const result = coerceToLimits(batch, columns, POSTGRES, ['id'])
    expect(result).toEqual({ batch, rejects: [], nulled: 0, truncated: 0, unknownFields: [] })
    expect(result.batch).toBe(batch)
  })

  it('shares the columns that fit and leaves its argument alone', () => {
    const batch = batchOf(columns, [1, 'a'], [2, '\0'])
    const { batch: out } = coerceToLimits(batch, columns, POSTGRES, ['id'])
    expect(out.columns[0]).toBe(batch.columns[0])
    expect(out.columns[1]).toEqual(['a', null])
    expect(batch.columns[1]).toEqual(['a', '\0'])
  })

  it('records each null with row, field and reason, after the changes that were there', () => {
    const earlier = { row: 0, field: 'name', change: 'TRUNCATED' as const, reason: 'source' }
    const batch = { ...batchOf(columns, [1, 'a'], [2, '\0']), changes: [earlier] }
    expect(coerceToLimits(batch, columns, POSTGRES, ['id']).batch.changes).toEqual([
      earlier,
      { row: 1, field: 'name', change: 'NULLED', reason: 'DESTINATION_SERIALIZATION_ERROR' },
    ])
  })

  it('rejects a row whose key does not fit, with all its values, and moves the others up', () => {
    const batch: RecordBatch = {
      ...batchOf(columns, [1, 'a'], ['x', 'b'], [2n ** 64n, '\0'], [3, '\0']),
      op: ['u', 'u', 'd', 'd'],
    }
    const { batch: out, rejects, nulled } = coerceToLimits(batch, columns, POSTGRES, ['id'])
    expect(out).toMatchObject({
      length: 2,
      columns: [
        [1, 3],
        ['a', null],
      ],
      op: ['u', 'd'],
    })
    expect(out.changes).toMatchObject([{ row: 1, field: 'name' }])
    expect(nulled).toBe(1)
    expect(rejects).toEqual([
      { reason: 'DESTINATION_TYPECAST_ERROR', field: 'id', row: '{"id":"x","name":"b"}' },
      {
        reason: 'DESTINATION_FIELD_SIZE_LIMITATION',
        field: 'id',
        row: '{"id":18446744073709551616,"name":"\\u0000"}',
        op: 'd',
      },
    ])
  })

  it('rejects a row once, though two of its keys do not fit', () => {
    const { batch, rejects } = coerceToLimits(batchOf(columns, ['x', '\0']), columns, POSTGRES, [
      'id',
      'name',
    ])
    expect(batch.length).toBe(0)
    expect(rejects).toHaveLength(1)
  })

  it('orders columns as the destination does, fills missing ones, drops and names unknown ones', () => {
    const given: Column[] = [
      { name: 'extra', type: 'string' },
      { name: 'name', type: 'string' },
    ]
    const { batch, unknownFields } = coerceToLimits(
      batchOf(given, ['x', 'a']),
      columns,
      POSTGRES,
      [],
    )
    expect(batch.schema).toEqual(columns)
    expect(batch.columns).toEqual([[null], ['a']])
    expect(unknownFields).toEqual(['extra'])
  })

  it('judges by the destination column when the source says another type', () => {
    const given: Column[] = [
      { name: 'id', type: 'string' },
      { name: 'name', type: 'string' },
    ]
    const { batch } = coerceToLimits(batchOf(given, ['7', 'a']), columns, POSTGRES, [])
    expect(batch.columns).toEqual([[7], ['a']])
  })

  it('takes every sample value as it is', async () => {
    const config = { count: 200 }
    const { streams } = await sampleData.discover(testContext(), config)
    for (const stream of streams) {
      const configured = {
        stream,
        syncMode: 'full_refresh' as const,
        destinationSyncMode: 'append' as const,
        cursorField: [],
        primaryKey: [],
        generationId: 0,
        minimumGenerationId: 0,
        syncId: 1,
        format: 'records' as const,
      }
      const state = { streams: new Map() }
      for await (const event of sampleData.read(testContext(), config, [configured], state)) {
        if (event.type !== 'batch') continue
        const batch = event.batch as RecordBatch
        const columns = columnsOf(stream.json_schema)
        expect(coerceToLimits(batch, columns, POSTGRES, ['id']).batch).toBe(batch)
      }
    }
  })

  it('looks at JSON once more unless it was serialised as such', () => {
    const target: Column[] = [{ name: 'v', type: 'object' }]
    const broken = '{"a": 1'
    const of = (own: AirbyteType, value: Cell) => ({
      ...batchOf([{ name: 'v', type: own }], [value]),
      jsonIsSound: true as const,
    })
    const nulled = (batch: RecordBatch) => coerceToLimits(batch, target, ANY, []).nulled
    expect(nulled(batchOf(target, [broken]))).toBe(1)
    // Text of a column that has become an object since: it may be anything.
    expect(nulled(of('string', broken))).toBe(1)
    expect(nulled(of('object', '[1]'))).toBe(1)
    expect(nulled(of('object', '{"a":1}'))).toBe(0)
  })
})

describe('numbers for columns of a fixed scale', () => {
  const FIXED: ValueLimits = { ...NARROW, decimal: { digits: 65, scale: 25, maxScale: 30 } }
  const native = (type: string): Column => ({
    name: 'v',
    type: 'number',
    native: { dialect: 'postgres', type },
  })
  const through = (cell: Cell, column: Column = { name: 'v', type: 'number' }) => {
    const { batch, rejects, nulled } = coerceToLimits(
      batchOf([column], [cell]),
      [column],
      FIXED,
      [],
    )
    const [change] = batch.changes ?? []
    return { cell: batch.columns[0]?.[0], change: change?.change, nulled, rejects }
  }

  it.each<[Cell, Cell]>([
    ['1.50', '1.5'],
    ['100', '100'],
    ['1e-7', '0.0000001'],
    [0.1, 0.1],
    [-0, -0],
    ['9999999999999999999999999999.9999999999', '9999999999999999999999999999.9999999999'],
    [12_345_678_901_234_567_890n, 12_345_678_901_234_567_890n],
    ['0.000', '0'],
  ])('holds %s, written as it is read back', (cell, expected) => {
    expect(through(cell)).toMatchObject({ cell: expected, change: undefined, nulled: 0 })
  })

  it('rounds what has more places, and says so', () => {
    const digits = `0.${'1'.repeat(30)}`
    expect(through(digits)).toMatchObject({
      cell: `0.${'1'.repeat(25)}`,
      change: 'TRUNCATED',
      nulled: 0,
    })
    expect(through(1e-30)).toMatchObject({ cell: '0', change: 'TRUNCATED' })
  })

  it('has no place for what has more digits before the point, nor for what is no number', () => {
    for (const cell of ['1'.repeat(41), 1e300, Number.NaN, 'Infinity']) {
      expect(through(cell)).toMatchObject({ cell: null, change: 'NULLED', nulled: 1 })
    }
  })

  it('leaves alone what declares how many digits it has, if there are as many', () => {
    expect(through('1.50', native('numeric(38,10)'))).toMatchObject({ cell: '1.50' })
    expect(through(1e300, native('double precision'))).toMatchObject({ cell: 1e300 })
    expect(through('1'.repeat(41), native('numeric(100,50)'))).toMatchObject({ cell: null })
  })

  it('rejects the row of a key that would be rounded', () => {
    const columns: Column[] = [{ name: 'v', type: 'number' }]
    const batch = batchOf(columns, [1e-30])
    expect(coerceToLimits(batch, columns, FIXED, ['v']).rejects).toHaveLength(1)
  })
})

describe("a column of the source's own type", () => {
  const native = (type: AirbyteType, name: string, dialect = 'postgres'): Column[] => [
    { name: 'v', type, native: { dialect, type: name } },
  ]
  const through = (columns: Column[], cell: Cell, limits: ValueLimits) => {
    const { batch } = coerceToLimits(batchOf(columns, [cell]), columns, limits, [])
    return [batch.columns[0]?.[0], batch.changes?.[0]?.change]
  }
  const KNOWN = { ...POSTGRES, native: 'postgres' }

  it.each<[AirbyteType, string, Cell]>([
    ['date', 'date', '5874897-12-31'],
    ['integer', 'xid8', 18_446_744_073_709_551_615n],
    ['array', 'integer[]', '[0:1]={7,8}'],
    ['array', 'jsonb[]', '{"null",NULL}'],
  ])('keeps every %s where the destination has the type too', (type, name, cell) => {
    expect(through(native(type, name), cell, KNOWN)).toEqual([cell, undefined])
  })

  it.each<[string, boolean]>([
    ['-838:59:59', false],
    ['838:59:59.000000', false],
    ['-00:00:00.000001', false],
    ['24:00:00', false],
    ['00:00:00', true],
    ['23:59:59.999999', true],
  ])(
    'keeps the span %s of MySQL where the destination is one too, and a time of day anywhere',
    (span, isTime) => {
      const column = native('time_without_timezone', 'time(6)', 'mysql')
      expect(through(column, span, { ...NARROW, native: 'mysql' })).toEqual([span, undefined])
      const elsewhere = through(column, span, KNOWN)
      expect(elsewhere).toEqual(isTime ? [span, undefined] : [null, 'NULLED'])
      const ofAnother = through(native('time_without_timezone', 'time'), '25:00:00', KNOWN)
      expect(ofAnother).toEqual([null, 'NULLED'])
    },
  )

  it('takes nothing but a span for one', () => {
    const column = native('time_without_timezone', 'time', 'mysql')
    for (const text of ['8:00:00', '12:60:00', '--12:00:00', '12:00:00x', '1000:00:00'])
      expect(through(column, text, { ...NARROW, native: 'mysql' })).toEqual([null, 'NULLED'])
  })

  it('gives arrays that JSON cannot say without what it cannot, and says so', () => {
    const bounds = through(native('array', 'integer[]'), '[0:1]={7,8}', NARROW)
    expect(bounds).toEqual(['[7, 8]', 'TRUNCATED'])
    const nulls = through(native('array', 'jsonb[]'), '{"null",NULL,"{\\"a\\": 1}"}', ANY)
    expect(nulls).toEqual(['[null, null, {"a": 1}]', 'TRUNCATED'])
    const equal = through(native('array', 'integer[]'), '{7,NULL}', NARROW)
    expect(equal).toEqual(['[7, null]', undefined])
  })
})

describe('numbers in Parquet', () => {
  const PARQUET: ValueLimits = { ...ANY, numbers: 'parquet' }
  const through = (cell: Cell, native?: string, concealed?: Set<string>) => {
    const column: Column = { name: 'v', type: 'number' }
    if (native) column.native = { dialect: 'postgres', type: native }
    const sent = batchOf([column], [cell])
    const { batch, ...counts } = coerceToLimits(sent, [column], PARQUET, [], concealed)
    return { ...batch.changes?.[0], ...counts, cell: batch.columns[0]?.[0] }
  }

  it('are the nearest double, counted and with their digits, where they declare none', () => {
    expect(through('12345678901234567890.5')).toMatchObject({
      ...{ cell: 12345678901234567000, change: 'TRUNCATED', truncated: 1, nulled: 0 },
      reason: 'DESTINATION_SERIALIZATION_ERROR: exactly 12345678901234567890.5',
    })
    expect(through('1.50')).toMatchObject({ cell: 1.5, truncated: 0 })
    expect(through('NaN')).toMatchObject({ cell: Number.NaN, truncated: 0 })
  })

  it('keep their digits to themselves if they are to be hashed', () => {
    const { reason } = through('12345678901234567890.5', undefined, new Set(['v']))
    expect(reason).toBe('DESTINATION_SERIALIZATION_ERROR')
  })

  it('are decimals where they declare their digits, which are finite', () => {
    expect(through('0.10', 'numeric(38,10)')).toMatchObject({ cell: '0.10', truncated: 0 })
    expect(through('NaN', 'numeric(38,10)')).toMatchObject({ cell: null, nulled: 1 })
    expect(through('NaN', 'numeric')).toMatchObject({ cell: 'NaN', nulled: 0 })
  })
})

it('makes a JSON null a null, recorded, where the two are written the same', () => {
  const one = { ...ANY, jsonNull: false }
  expect(coerced('unknown', ' null ', one)).toBe('SERIALIZATION_ERROR')
  expect(coerced('unknown', '[null]', one)).toBe('[null]')
  expect(coerced('unknown', 'null', ANY)).toBe('null')
})
