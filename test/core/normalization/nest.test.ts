import { describe, expect, it } from 'vitest'
import {
  childTables,
  Nesting,
  tableColumns,
  withMembers,
  withTables,
} from '../../../src/core/normalization/index.ts'
import {
  type Column,
  columnsOf,
  type JsonSchema,
  type RecordBatch,
} from '../../../src/protocol/index.ts'

const [text, integer, number] = ['string', 'integer', 'number'].map(
  (type): JsonSchema => ({ type: [type, 'null'] }),
) as [JsonSchema, JsonSchema, JsonSchema]
const object = (properties: Record<string, JsonSchema>): JsonSchema => ({
  type: ['null', 'object'],
  properties,
})
const array = (items?: JsonSchema): JsonSchema => ({
  type: ['null', 'array'],
  ...(items && { items }),
})

const ORDER = object({
  id: integer,
  items: array(
    object({
      sku: text,
      price: number,
      parts: array(object({ n: integer })),
      at: object({ x: text }),
    }),
  ),
  tags: array(text),
  ship: object({ to: text, notes: array(text) }),
  free: array(),
})

function expand(schema: JsonSchema, known: Column[] = [], taken: string[] = [], renamed = {}) {
  const options = { depth: 10, separator: '_', arrays: true }
  const columns = withMembers(columnsOf(schema), schema, options, known, renamed)
  return withTables(columns, 'orders', options, new Set(['orders', ...taken]), renamed)
}
const names = (columns: Column[]) => columns.map(({ name }) => name)
const limits = { nulInText: true, nonFinite: true, years: [1, 9999] as [number, number] }
const LINKS = ['_airbyte_parent_id', '_airbyte_root_id', '_airbyte_index']

describe('tables of arrays', () => {
  it('are made of what the schema declares, and leave the number of elements in their place', () => {
    const columns = expand(ORDER)
    expect(names(tableColumns(columns))).toEqual([
      ...['id', 'items_count', 'tags_count', 'ship_to', 'ship_notes_count', 'free'],
    ])
    const tables = childTables(columns, 'p_').map(({ columns, ...table }) => ({
      ...table,
      columns: names(columns).filter((name) => !LINKS.includes(name)),
    }))
    expect(tables).toEqual([
      {
        path: ['items'],
        count: 'items_count',
        table: 'p_orders_items',
        columns: ['sku', 'price', 'parts_count', 'at_x'],
      },
      {
        ...{ path: ['items', 'parts'], parent: 0, count: 'parts_count' },
        ...{ table: 'p_orders_items_parts', columns: ['n'] },
      },
      { path: ['tags'], count: 'tags_count', table: 'p_orders_tags', columns: ['value'] },
      {
        ...{ path: ['ship', 'notes'], count: 'ship_notes_count' },
        ...{ table: 'p_orders_ship_notes', columns: ['value'] },
      },
    ])
  })

  it('hold arrays of arrays by a table each', () => {
    const tables = childTables(expand(object({ grid: array(array(number)) })), '')
    expect(
      tables.map(({ table, parent, columns }) => [table, parent, names(columns).slice(3)]),
    ).toEqual([
      ['orders_grid', undefined, ['value_count']],
      ['orders_grid_value', 0, ['value']],
    ])
  })

  it('stay apart from each other and from tables of other streams', () => {
    const schema = object({
      items_a: array(text),
      items: array(object({ a: array(text) })),
      lines: array(text),
    })
    const found = childTables(expand(schema, [], ['orders_lines']), '').map(({ table }) => table)
    expect(new Set(found).size).toBe(4)
    expect(found[0]).toBe('orders_items_a')
    expect(found[2]).toMatch(/^orders_items_a_[0-9a-f]{8}$/)
    expect(found[3]).toMatch(/^orders_lines_[0-9a-f]{8}$/)
  })

  it('keep the names that they have when others come that would have them', () => {
    const before = expand(object({ items: array(object({ a: array(text) })) }))
    const grown = object({ items_a: array(text), items: array(object({ a: array(text) })) })
    const after = childTables(expand(grown, before, ['orders_items']), '').map(({ table }) => table)
    expect(after.slice(1)).toEqual(['orders_items', 'orders_items_a'])
    expect(after[0]).toMatch(/^orders_items_a_[0-9a-f]{8}$/)
  })

  it('are called after the new name of a renamed column', () => {
    const columns = expand(object({ items: array(text) }), [], [], { items: 'lines' })
    expect(childTables(columns, '')[0]?.table).toBe('orders_lines')
    expect(names(tableColumns(columns))).toEqual(['lines_count'])
  })

  it('give a count another name where a column has it', () => {
    const schema = object({ tags: array(text), tags_count: integer })
    const [count, own] = names(tableColumns(expand(schema)))
    expect(own).toBe('tags_count')
    expect(count).toMatch(/^tags_count_[0-9a-f]{8}$/)
  })
})

describe('fields of elements that are called as the links are', () => {
  const fields = {
    _airbyte_index: integer,
    _airbyte_parent_id: text,
    _airbyte_root_id: object({ x: integer }),
    _airbyte: object({ index: integer, root_id: text }),
  }
  const own = (items: Record<string, JsonSchema>, known: Column[] = []) => {
    const columns = expand(object({ items: array(object(items)) }), known)
    return { columns, table: names(childTables(columns, '')[0]?.columns ?? []) }
  }
  const suffixed = (name: string) => expect.stringMatching(new RegExp(`^${name}_[0-9a-f]{8}$`))

  it('are columns with a suffix, beside the links', () => {
    const { table } = own(fields)
    expect(table).toEqual([
      ...LINKS,
      suffixed('_airbyte_index'),
      suffixed('_airbyte_parent_id'),
      '_airbyte_root_id_x',
      suffixed('_airbyte_index'),
      suffixed('_airbyte_root_id'),
    ])
    expect(new Set(table).size).toBe(table.length)
  })

  it('keep their names when others come, and whatever the order', () => {
    const { columns, table } = own(fields)
    const more = {
      a: text,
      _airbyte_index_1: text,
      ...fields,
      _airbyte_index_2: object({ y: text }),
    }
    const others = ['a', '_airbyte_index_1', '_airbyte_index_2_y']
    const left = (grown: string[]) => grown.filter((name) => !others.includes(name))
    expect(left(own(more, columns).table)).toEqual(table)
    expect(left(own(more).table)).toEqual(table)
    const turned = own(Object.fromEntries(Object.entries(fields).reverse())).table
    expect(turned.sort()).toEqual(table.sort())
  })

  it('come to a table that an earlier version made without them, whose columns keep their names', () => {
    const before = own({ sku: text }).columns
    const { table } = own({ sku: text, _airbyte_index: integer }, before)
    expect(table).toEqual([...LINKS, 'sku', suffixed('_airbyte_index')])
  })

  it('arrive with their values, and what does not fit bears the name of the column', () => {
    const { columns, table } = own(fields)
    const nesting = new Nesting({ chunk: 'c', columns, children: childTables(columns, ''), limits })
    const cell =
      '[{"_airbyte_index": 7, "_airbyte_parent_id": "p", "_airbyte_root_id": {"x": 1}, "_airbyte": {"index": 8, "root_id": "r"}}, {"_airbyte_index": "no"}]'
    const [, items] = nesting.split({
      ...{ kind: 'records', stream: 's', schema: columns, length: 1, extractedAt: 5 },
      columns: [[cell]],
    })
    expect(names(items?.schema ?? [])).toEqual(table)
    expect(items?.columns.slice(2)).toEqual([
      ...[
        [0, 1],
        [7, null],
        ['p', null],
        [1, null],
        [8, null],
        ['r', null],
      ],
    ])
    expect(items?.changes).toEqual([expect.objectContaining({ row: 1, field: table[3] })])
    expect([...nesting.unknown]).toEqual([])
  })
})

describe('taking the arrays of a batch apart', () => {
  const schema = object({
    id: integer,
    items: (ORDER.properties as JsonSchema).items as JsonSchema,
  })
  const columns = expand(schema)
  const children = childTables(columns, '')
  const nesting = (chunk = 'c1') => new Nesting({ chunk, columns, children, limits })
  const batch = (cells: (string | null)[], extra: Partial<RecordBatch> = {}): RecordBatch => ({
    ...{ kind: 'records', stream: 's', schema: columns, length: cells.length, extractedAt: 5 },
    columns: [cells.map((_, row) => row), cells],
    ...extra,
  })
  const rows = ({ columns, length }: RecordBatch, from = 0) =>
    Array.from({ length }, (_, row) => columns.slice(from).map((cells) => cells[row]))

  it('links every element to its row, and tells null from an empty array', () => {
    const [parents, items, parts, ...none] = nesting().split(
      batch([
        '[{"sku": "a", "price": 12345678901234567890.5, "parts": [{"n": 9223372036854775807}], "at": {"x": "é"}}, null]',
        null,
        '[]',
        ' [ {"parts":[]} ] ',
      ]),
    ) as unknown as RecordBatch[]
    expect(none).toEqual([])
    expect(rows(parents as RecordBatch)).toEqual([
      [0, 2],
      [1, null],
      [2, 0],
      [3, 1],
    ])
    const [a, , , d] = parents?.rowIds ?? []
    expect(rows(items as RecordBatch)).toEqual([
      [a, a, 0, 'a', '12345678901234567890.5', 1, 'é'],
      [a, a, 1, null, null, null, null],
      [d, d, 0, null, null, 0, null],
    ])
    expect(items?.child).toBe(0)
    expect(rows(parts as RecordBatch)).toEqual([[items?.rowIds?.[0], a, 0, 9223372036854775807n]])
    expect(parts?.schema).toEqual(children[1]?.columns)
  })

  it('gives the same ids to the same chunk, and others to others', () => {
    const given = batch(['[{"sku":"a"}]', '[{"sku":"b"}]'])
    const ids = (of: Nesting) => [...of.split(given)].map(({ rowIds }) => rowIds)
    expect(ids(nesting())).toEqual(ids(nesting()))
    const all = [...ids(nesting()), ...ids(nesting('c2'))].flat()
    expect(new Set(all).size).toBe(8)
    const one = nesting()
    expect(new Set([...ids(one), ...ids(one)].flat()).size).toBe(8)
  })

  it('hands on a long array in parts', () => {
    const one = nesting()
    const long = JSON.stringify(Array.from({ length: 5001 }, (_, n) => ({ sku: `s${n}` })))
    const parts = [...one.split(batch([long]))]
    expect(parts.map(({ length }) => length)).toEqual([1, 2000, 2000, 1001])
    expect(
      rows(parts[3] as RecordBatch, 2)
        .at(-1)
        ?.slice(0, 2),
    ).toEqual([5000, 's5000'])
    expect(one.childRows).toEqual([5001, 0])
  })

  it('records what does not fit, and says what the schema does not know', () => {
    const one = nesting()
    const [parents, items] = [
      ...one.split(
        batch(['[{"price":"much","new":1},7]', null], {
          changes: [{ row: 1, field: 'items', change: 'NULLED', reason: 'why' }],
        }),
      ),
    ]
    expect(parents?.changes?.map(({ row, field }) => [row, field])).toEqual([[1, 'items_count']])
    const changed = items?.changes?.map(({ row, field }) => `${row} ${field}`)
    expect(changed?.sort()).toEqual(['0 price', '1 at_x', '1 parts_count', '1 price', '1 sku'])
    expect([...one.unknown]).toEqual(['items[].new'])
    expect(one.nulled).toBe(5)
  })
})
