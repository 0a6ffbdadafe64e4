import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  applyMapping,
  coerceToLimits,
  mappedColumns,
  mappedPath,
} from '../../../src/core/normalization/index.ts'
import type {
  AirbyteType,
  Cell,
  Column,
  Literal,
  RecordBatch,
  RowCondition,
  RowOp,
} from '../../../src/protocol/index.ts'

const COLUMNS: Column[] = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'email', type: 'string' },
  { name: 'price', type: 'number' },
  { name: 'at', type: 'timestamp_with_timezone' },
  { name: 'active', type: 'boolean' },
]

const ROWS: Cell[][] = [
  [1, 'a@x.test', 2.5, '2026-01-01T00:00:00Z', true],
  [2, null, '0.1000000000000000001', '2026-01-01T02:00:00+02:00', false],
  [9_007_199_254_740_993n, 'c@x.test', null, null, null],
]

const batch = (over: Partial<RecordBatch> = {}): RecordBatch => ({
  ...{ kind: 'records', stream: 'users', schema: COLUMNS, length: ROWS.length, extractedAt: 0 },
  columns: COLUMNS.map((_, c) => ROWS.map((row) => row[c] ?? null)),
  ...over,
})

const planned = { salt: 'salt', columns: COLUMNS }
const kept = (filter: RowCondition) =>
  applyMapping(batch(), { ...planned, filter }).batch.columns[0] ?? []

describe('a filter', () => {
  it.each<[RowCondition, Cell[]]>([
    [{ field: 'id', op: 'eq', value: 1 }, [1]],
    [{ field: 'id', op: 'gt', value: '9007199254740992' }, [9_007_199_254_740_993n]],
    [{ field: 'price', op: 'gt', value: '0.1' }, [1, 2]],
    [{ field: 'price', op: 'lte', value: 2.5 }, [1, 2]],
    [{ field: 'email', op: 'in', value: ['a@x.test', 'z'] }, [1]],
    [{ field: 'email', op: 'ne', value: 'a@x.test' }, [9_007_199_254_740_993n]],
    [{ field: 'email', op: 'is_null' }, [2]],
    [{ field: 'email', op: 'not_null' }, [1, 9_007_199_254_740_993n]],
    [{ field: 'at', op: 'eq', value: '2026-01-01T00:00:00Z' }, [1, 2]],
    [{ field: 'active', op: 'eq', value: true }, [1]],
    [{ field: 'active', op: 'ne', value: 'true' }, [2]],
    [{ not: { field: 'active', op: 'eq', value: true } }, [2, 9_007_199_254_740_993n]],
    [
      {
        any: [
          { field: 'id', op: 'lt', value: 2 },
          {
            all: [
              { field: 'price', op: 'is_null' },
              { field: 'at', op: 'is_null' },
            ],
          },
        ],
      },
      [1, 9_007_199_254_740_993n],
    ],
  ])('%j', (filter, ids) => {
    expect(kept(filter)).toEqual(ids)
  })

  it('counts what it leaves out, and moves the changes of the rows that stay', () => {
    const changes = [
      { row: 0, field: 'price', change: 'NULLED' as const, reason: 'gone' },
      { row: 2, field: 'price', change: 'NULLED' as const, reason: 'kept' },
    ]
    const filter: RowCondition = { field: 'id', op: 'gt', value: 2 }
    const mapped = applyMapping(batch({ changes, op: ['u', 'u', 'd'] }), {
      ...{ ...planned, filter, rename: { price: 'amount' } },
    })
    expect(mapped.filtered).toBe(2)
    expect(mapped.batch).toMatchObject({
      ...{ length: 1, op: ['d'] },
      changes: [{ row: 0, field: 'amount', reason: 'kept' }],
    })
  })

  it('lets deletions pass, and rows of which the log does not tell enough', () => {
    const changes = [
      { row: 1, field: 'email', change: 'UNCHANGED' as const, reason: 'left out' },
      { row: 2, field: 'price', change: 'UNCHANGED' as const, reason: 'left out' },
    ]
    const filter: RowCondition = { field: 'email', op: 'eq', value: 'nobody' }
    const { batch: kept } = applyMapping(batch({ changes, op: ['d', 'u', 'u'] }), {
      ...planned,
      filter,
    })
    expect(kept.op).toEqual(['d', 'u'])
  })

  it.each<[AirbyteType, Cell[], string, Literal, Cell[]]>([
    ['boolean', [true, false, null], 'eq', 1, [true]],
    ['boolean', [true, false, null], 'eq', '0', [false]],
    ['boolean', [true, false, null], 'ne', 'TRUE', [false]],
    ['integer', [1, 2, 10n, null], 'gte', '2.0', [2, 10n]],
    ['number', [1, '1.50', null], 'eq', '1.5', ['1.50']],
    ['string', ['a', 'A', 'a ', 'á', null], 'eq', 'a', ['a']],
    ['string', ['5', '50', null], 'eq', 5, ['5']],
    [
      'date',
      ['2024-01-05', '2024-01-06', null],
      'gte',
      '2024-01-05T00:00:00Z',
      ['2024-01-05', '2024-01-06'],
    ],
    ['date', ['2024-01-05', '2024-01-06', null], 'gt', '2024-01-05 10:00:00', ['2024-01-06']],
    [
      'timestamp_without_timezone',
      ['2024-01-05T00:00:00.000000', null],
      'eq',
      '2024-01-05',
      ['2024-01-05T00:00:00.000000'],
    ],
    [
      'timestamp_with_timezone',
      ['2024-01-05T01:00:00Z', null],
      'lt',
      '2024-01-05T03:00:01+02:00',
      ['2024-01-05T01:00:00Z'],
    ],
    [
      'time_without_timezone',
      ['10:00:00.000000', '100:00:00', '-01:00:00', null],
      'lte',
      '10:00',
      ['10:00:00.000000', '-01:00:00'],
    ],
    ['binary', ['/w==', 'AA==', null], 'gt', 'fw==', ['/w==']],
  ])('compares %s %o: %s %j', (type, cells, op, value, kept) => {
    const schema: Column[] = [{ name: 'c', type }]
    const one = batch({ schema, columns: [cells], length: cells.length })
    const filter = { field: 'c', op, value } as RowCondition
    expect(applyMapping(one, { salt: '', columns: schema, filter }).batch.columns).toEqual([kept])
  })

  it.each<[AirbyteType, Literal]>([
    ['boolean', 'yes'],
    ['boolean', 2],
    ['integer', 'abc'],
    ['integer', ''],
    ['number', true],
    ['number', '1,5'],
    ['date', '5.1.2024'],
    ['date', 20240105],
    ['timestamp_with_timezone', 'yesterday'],
    ['timestamp_without_timezone', '2024-02-30'],
    ['time_without_timezone', '10'],
    ['time_with_timezone', 'noon'],
    ['binary', 'x'],
  ])('refuses for %s the value %j, with which nothing could be compared', (type, value) => {
    const schema: Column[] = [{ name: 'c', type }]
    const one = batch({ schema, columns: [[null]], length: 1 })
    const filters: RowCondition[] = [
      { field: 'c', op: 'lt', value },
      { not: { field: 'c', op: 'in', value: [value] } },
    ]
    for (const filter of filters) {
      expect(() => applyMapping(one, { salt: '', columns: schema, filter })).toThrow(
        expect.objectContaining({ code: 'VALIDATION_FAILED', field: 'mapping.filter' }),
      )
    }
  })

  const log: Column[] = [
    ...COLUMNS,
    { name: '_ab_cdc_updated_at', type: 'timestamp_with_timezone' },
    { name: '_ab_cdc_deleted_at', type: 'timestamp_with_timezone' },
  ]
  const when = '2026-03-01T00:00:00Z'
  const changed = (op: RowOp[], over: Partial<RecordBatch> = {}) =>
    batch({
      op,
      schema: log,
      columns: [...batch().columns, [when, when, when], [null, null, null]],
      ...over,
    })
  const leaving = { ...planned, columns: log, leaves: { keys: ['id'], inserts: false } }

  it('lets a changed row that does not fulfil it leave, by its key alone', () => {
    const changes = [0, 1].map((row) => ({
      ...{ row, field: 'price', change: 'NULLED' as const, reason: `of ${row}` },
    }))
    const filter: RowCondition = { field: 'id', op: 'lt', value: 2 }
    const { batch: left, filtered } = applyMapping(changed(['u', 'u', 'm'], { changes }), {
      ...{ ...leaving, filter, hash: ['id'], rename: { id: 'key' } },
    })
    expect(filtered).toBe(2)
    expect(left.op).toEqual(['u', 'x', 'x'])
    expect(left.columns.map((cells) => cells.slice(1))).toEqual([
      [expect.stringMatching(/^[0-9a-f]{64}$/), expect.stringMatching(/^[0-9a-f]{64}$/)],
      ...[1, 2, 3, 4].map(() => [null, null]),
      ...[
        [when, when],
        [when, when],
      ],
    ])
    expect(left.columns[1]?.[0]).toBe('a@x.test')
    expect(left.columns[6]?.[0]).toBe(null)
    expect(left.changes).toMatchObject([{ row: 0, reason: 'of 0' }])
  })

  it('leaves out a new row that does not fulfil it, where its key was free', () => {
    const filter: RowCondition = { field: 'email', op: 'eq', value: 'nobody' }
    const op: RowOp[] = ['i', 'u', 'd']
    expect(applyMapping(changed(op), { ...leaving, filter }).batch.op).toEqual(['x', 'd'])
    const any = { ...leaving, filter, leaves: { keys: ['id'], inserts: true } }
    expect(applyMapping(changed(op), any).batch.op).toEqual(['x', 'x', 'd'])
  })

  it('leaves out what has no whole key, rows of a snapshot, and all where rows are appended', () => {
    const filter: RowCondition = { field: 'email', op: 'eq', value: 'nobody' }
    const keyless = { ...leaving, filter, leaves: { keys: ['id', 'email'], inserts: false } }
    const { batch: kept, filtered } = applyMapping(changed(['u', 'u', 'u']), keyless)
    expect([kept.op, filtered]).toEqual([['x', 'x'], 3])
    expect(applyMapping(changed([], { op: undefined }), { ...leaving, filter })).toMatchObject({
      ...{ batch: { length: 0 }, filtered: 3 },
    })
    expect(applyMapping(changed(['u', 'u', 'd']), { ...planned, filter }).batch.op).toEqual(['d'])
  })

  it('names a field that is no column', () => {
    expect(() => kept({ field: 'gone', op: 'is_null' })).toThrow("'gone', which is no column")
  })
})

describe('a hash', () => {
  it('is salted, the same for equal values, and null for null', () => {
    const { batch: mapped } = applyMapping(batch(), { ...planned, hash: ['email', 'price'] })
    const hash = (text: string) => createHmac('sha256', 'salt').update(text).digest('hex')
    expect(mapped.columns[1]).toEqual([hash('a@x.test'), null, hash('c@x.test')])
    expect(mapped.columns[2]).toEqual([hash('2.5'), hash('0.1000000000000000001'), null])
    const other = applyMapping(batch(), { ...planned, hash: ['email'], salt: 'other' })
    expect(other.batch.columns[1]?.[0]).not.toBe(hash('a@x.test'))
  })

  it('makes its column a text', () => {
    expect(
      mappedColumns(COLUMNS, { hash: ['id'], rename: { id: 'person', price: 'amount' } }),
    ).toEqual([
      { name: 'person', type: 'string', nullable: false },
      COLUMNS[1],
      { name: 'amount', type: 'number' },
      COLUMNS[3],
      COLUMNS[4],
    ])
    expect(mappedPath(['id', 'inner'], { rename: { id: 'person' } })).toEqual(['person', 'inner'])
  })

  it('keeps the values of its column out of rejected rows', () => {
    const limits = { nulInText: true, nonFinite: true, years: [-1e6, 1e6] as [number, number] }
    const broken = batch({ columns: [['x', 2, 3], ...batch().columns.slice(1)] })
    const { rejects } = coerceToLimits(broken, COLUMNS, limits, ['id'], new Set(['email']))
    expect(rejects).toHaveLength(1)
    expect(rejects[0]?.row).not.toContain('a@x.test')
    expect(JSON.parse(rejects[0]?.row ?? '')).toMatchObject({ id: 'x', email: '**********' })
  })
})

it('leaves the batch as it is where there is nothing to do', () => {
  const { batch: mapped, filtered } = applyMapping(batch(), planned)
  expect([mapped.columns, filtered]).toEqual([batch().columns, 0])
})
