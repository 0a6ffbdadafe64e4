import { describe, expect, it } from 'vitest'
import {
  flatColumns,
  flatPath,
  flatten,
  withMembers,
} from '../../../src/core/normalization/index.ts'
import {
  type Column,
  columnsOf,
  type JsonSchema,
  type RecordBatch,
} from '../../../src/protocol/index.ts'

const object = (properties: Record<string, JsonSchema>): JsonSchema => ({
  type: ['null', 'object'],
  properties,
})
const [text, integer, number] = ['string', 'integer', 'number'].map((type) => ({ type }))

function expand(schema: JsonSchema, options = {}, known: Column[] = [], renamed = {}): Column[] {
  const all = { depth: 10, separator: '_', ...options }
  return withMembers(columnsOf(schema), schema, all, known, renamed)
}
const names = (columns: Column[]) => flatColumns(columns).map(({ name }) => name)

const PERSON = object({
  id: integer as JsonSchema,
  home: object({
    street: object({ name: text as JsonSchema, no: integer as JsonSchema }),
    free: { type: 'object' },
    tags: { type: 'array' },
  }),
})

describe('columns of members', () => {
  it('are made of what the schema declares, in its order', () => {
    expect(flatColumns(expand(PERSON))).toEqual([
      { name: 'id', type: 'integer' },
      { name: 'home_street_name', type: 'string' },
      { name: 'home_street_no', type: 'integer' },
      { name: 'home_free', type: 'object' },
      { name: 'home_tags', type: 'array' },
    ])
  })

  it('reach to the given depth, and take the given separator', () => {
    const columns = expand(PERSON, { depth: 1, separator: '__' })
    expect(flatColumns(columns)).toContainEqual({ name: 'home__street', type: 'object' })
    expect(names(columns)).toEqual(['id', 'home__street', 'home__free', 'home__tags'])
  })

  it('stay apart where names meet, and a top-level column keeps its own', () => {
    const schema = object({
      a_b: text as JsonSchema,
      a: object({ b: text as JsonSchema, b_c: text as JsonSchema }),
      a_b_c: object({ d: text as JsonSchema }),
      a_b_c_d: integer as JsonSchema,
    })
    const found = names(expand(schema))
    expect(new Set(found).size).toBe(5)
    expect(found[0]).toBe('a_b')
    expect(found[1]).toMatch(/^a_b_[0-9a-f]{8}$/)
    expect(found[2]).toBe('a_b_c')
    expect(found[3]).toMatch(/^a_b_c_d_[0-9a-f]{8}$/)
  })

  it('have the same names in whatever order the schema comes', () => {
    const a = object({ b_c: text as JsonSchema })
    const ab = object({ c: text as JsonSchema })
    const sorted = (schema: JsonSchema) => names(expand(schema)).sort()
    expect(sorted(object({ a, a_b: ab }))).toEqual(sorted(object({ a_b: ab, a })))
  })

  it('keep a name that they have, when another member comes that would have it first', () => {
    const before = expand(object({ a_b: object({ c: text as JsonSchema }) }))
    expect(names(before)).toEqual(['a_b_c'])
    const grown = object({
      a: object({ b_c: text as JsonSchema }),
      a_b: object({ c: text as JsonSchema }),
    })
    const [added, kept] = names(expand(grown, {}, before))
    expect(kept).toBe('a_b_c')
    expect(added).toMatch(/^a_b_c_[0-9a-f]{8}$/)
  })

  it('are called after the new name of a renamed column', () => {
    const columns = expand(PERSON, {}, [], { home: 'address' })
    expect(names(columns)).toContain('address_street_no')
  })

  it('can be a key', () => {
    expect(flatPath(['home', 'street', 'no'], expand(PERSON))).toEqual(['home_street_no'])
    expect(flatPath(['id'], expand(PERSON))).toEqual(['id'])
  })
})

describe('flattening a batch', () => {
  const schema = object({
    o: object({ n: number as JsonSchema, t: text as JsonSchema, in: PERSON }),
  })
  const batch = (cells: (string | null)[], extra: Partial<RecordBatch> = {}): RecordBatch => ({
    ...{ kind: 'records', stream: 's', schema: expand(schema), length: cells.length },
    ...{ columns: [cells], extractedAt: 0 },
    ...extra,
  })
  const rows = ({ columns, length }: RecordBatch) =>
    Array.from({ length }, (_, row) => columns.map((cells) => cells[row]))

  it('keeps every digit, and tells null, missing and empty from each other no more than SQL does', () => {
    const { batch: flat } = flatten(
      batch([
        '{"n": 12345678901234567890.123456789, "t": "\\u00e9\\"x", "in": {"id": 9223372036854775807}}',
        '{"in": {"home": {"free": {"a": 1.50}, "tags": [], "street": {"no": 7}}}}',
        '{"n": null, "in": null}',
        null,
      ]),
    )
    expect(rows(flat)).toEqual([
      ['12345678901234567890.123456789', 'é"x', 9223372036854775807n, null, null, null, null],
      [null, null, null, null, 7, '{"a": 1.50}', '[]'],
      [null, null, null, null, null, null, null],
      [null, null, null, null, null, null, null],
    ])
    expect(flat.schema).toEqual(flatColumns(expand(schema)))
  })

  it('says which members the schema does not know', () => {
    const { unknownFields } = flatten(batch(['{"new": 1, "in": {"home": {"other": 2}}}']))
    expect(unknownFields).toEqual(['o.new', 'o.in.home.other'])
  })

  it('names only some of the members where an object is used as a map', () => {
    const cells = Array.from({ length: 300 }, (_, row) => `{"key ${row}": 1}`)
    expect(flatten(batch(cells)).unknownFields).toHaveLength(100)
  })

  it('records where something else stands in the place of an object', () => {
    const { batch: flat } = flatten(batch(['{"n": 1}', '{"in": {"home": "none"}}']))
    expect(flat.changes?.map(({ row, field }) => [row, field])).toEqual([
      [1, 'o_in_home_street_name'],
      [1, 'o_in_home_street_no'],
      [1, 'o_in_home_free'],
      [1, 'o_in_home_tags'],
    ])
  })

  it('tells of each member what happened to its object, and keeps the marks of a change log', () => {
    const change = { row: 0, field: 'o', change: 'NULLED', reason: 'why' } as const
    const { batch: flat } = flatten(batch([null], { changes: [change], op: ['d'] }))
    expect(flat.op).toEqual(['d'])
    expect(flat.changes).toHaveLength(7)
    expect(flat.changes?.[0]).toEqual({ ...change, field: 'o_n' })
  })
})

it('members are unchanged where their object is', () => {
  const columns = expand(PERSON)
  const batch: RecordBatch = {
    ...{ kind: 'records', stream: 'people', schema: columns, length: 2, extractedAt: 0 },
    columns: [
      [1, 2],
      [null, '{"street":{"name":"x"}}'],
    ],
    changes: [{ row: 0, field: 'home', change: 'UNCHANGED', reason: 'SOURCE_LEFT_IT_OUT' }],
  }
  const flat = flatten(batch).batch
  expect(flat.columns[1]).toEqual([null, 'x'])
  expect(flat.changes?.map(({ row, field, change }) => [row, field, change])).toEqual(
    names(columns.slice(1)).map((name) => [0, name, 'UNCHANGED']),
  )
})
