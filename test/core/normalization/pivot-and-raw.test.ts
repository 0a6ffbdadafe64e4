import { describe, expect, it } from 'vitest'
import { project, toRaw } from '../../../src/core/normalization/index.ts'
import type { Column } from '../../../src/protocol/index.ts'
import { pivot } from '../../../src/runtime/pivot.ts'

const COLUMNS: Column[] = [
  { name: 'id', type: 'integer' },
  { name: 'price', type: 'number' },
  { name: 'name', type: 'string' },
  { name: 'inner', type: 'object' },
]

const pivoted = (...records: Record<string, unknown>[]) => pivot('s', records, COLUMNS, 5)

describe('pivot', () => {
  it('turns records into columns, missing fields into null', () => {
    const { batch } = pivoted(
      { id: 1, name: 'a', inner: { b: [1] } },
      { id: 2n ** 63n, price: '0.10' },
    )
    expect(batch).toMatchObject({ kind: 'records', stream: 's', length: 2, extractedAt: 5 })
    expect(batch.columns).toEqual([
      [1, 2n ** 63n],
      [null, '0.10'],
      ['a', null],
      ['{"b":[1]}', null],
    ])
  })

  it('prints big integers inside nested values with every digit', () => {
    const { batch } = pivoted({ inner: { n: 9_007_199_254_740_993n, text: '9007199254740993n' } })
    expect(batch.columns[3]).toEqual(['{"n":9007199254740993,"text":"9007199254740993n"}'])
  })

  it('writes a nested value in a text column as JSON', () => {
    expect(pivoted({ name: { a: 1 } }).batch.columns[2]).toEqual(['{"a":1}'])
  })

  it('counts the fields that the schema does not know', () => {
    const { unknownFields } = pivoted({ id: 1, x: 1 }, { x: 2, y: 3 })
    expect([...unknownFields]).toEqual([
      ['x', 2],
      ['y', 1],
    ])
  })

  it('is not fooled by names that every object inherits', () => {
    const columns: Column[] = [
      { name: 'constructor', type: 'string' },
      { name: '__proto__', type: 'object' },
    ]
    const record = JSON.parse('{"__proto__":{"polluted":1}}') as Record<string, unknown>
    const { batch, unknownFields } = pivot('s', [{}, record], columns, 0)
    expect(batch.columns).toEqual([
      [null, null],
      [null, '{"polluted":1}'],
    ])
    expect(unknownFields.size).toBe(0)
  })
})

describe('toRaw', () => {
  it('writes one JSON object a row, exact to the digit', () => {
    const { batch } = pivoted(
      {
        id: 9_007_199_254_740_993n,
        price: '1234567890.12345678901234567890',
        name: 'a"\n',
        inner: {},
      },
      { id: -1, price: Number.NaN },
    )
    const raw = toRaw(batch)
    expect(raw.schema.map(({ name }) => name)).toEqual(['_airbyte_data'])
    expect(raw.columns[0]).toEqual([
      '{"id":9007199254740993,"price":1234567890.12345678901234567890,"name":"a\\"\\n","inner":{}}',
      '{"id":-1,"price":"NaN","name":null,"inner":null}',
    ])
  })

  it('writes what is not a JSON number, such as .5, as text', () => {
    const { batch } = pivoted({ price: '.5' }, { price: '0.5' })
    const texts = toRaw(batch, COLUMNS.slice(1, 2)).columns[0]
    expect(texts).toEqual(['{"price":".5"}', '{"price":0.5}'])
  })

  it('keeps times, delete marks and changes', () => {
    const { batch } = pivoted({ id: 1 })
    const change = { row: 0, field: 'name', change: 'NULLED' as const, reason: 'r' }
    const raw = toRaw({ ...batch, op: ['d'], changes: [change] })
    expect(raw).toMatchObject({ op: ['d'], changes: [change], extractedAt: 5, length: 1 })
  })
})

describe('project', () => {
  it('keeps the selected fields and the changes to them', () => {
    const { batch } = pivoted({ id: 1, name: 'a' })
    const changes = ['id', 'price'].map((field) => ({
      row: 0,
      field,
      change: 'NULLED' as const,
      reason: 'r',
    }))
    const out = project({ ...batch, changes }, ['name', 'id', 'nothing'])
    expect(out.schema.map(({ name }) => name)).toEqual(['id', 'name'])
    expect(out.columns).toEqual([[1], ['a']])
    expect(out.changes).toHaveLength(1)
  })

  it('returns the same batch when nothing is left out', () => {
    const { batch } = pivoted({ id: 1 })
    expect(project(batch, undefined)).toBe(batch)
    expect(project(batch, ['id', 'price', 'name', 'inner'])).toBe(batch)
  })
})
