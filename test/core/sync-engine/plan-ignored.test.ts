import { describe, expect, it } from 'vitest'
import { planStream } from '../../../src/core/sync-engine/plan-stream.ts'
import type { SyncInput, SyncStreamInput } from '../../../src/core/sync-engine/types.ts'
import type { Column, JsonSchema } from '../../../src/protocol/index.ts'

const object = (properties: Record<string, JsonSchema>): JsonSchema => ({
  type: 'object',
  properties,
})
const array = (items: JsonSchema): JsonSchema => ({ type: 'array', items })
const text: JsonSchema = { type: 'string' }

const BEFORE = {
  id: text,
  ship: object({ to: text, notes: array(text) }),
  items: array(object({ sku: text, at: object({ x: text }) })),
  free: { type: 'object' },
  list: { type: 'array' },
}
const NOW = {
  ...{ id: text, added: object({ x: text }) },
  ship: object({ to: text, city: object({ name: text }), notes: array(text), ids: array(text) }),
  items: array(
    object({ sku: text, price: text, at: object({ x: text, y: text }), parts: array(text) }),
  ),
  free: object({ x: text }),
  list: array(text),
}

function plan(
  properties: Record<string, JsonSchema>,
  known: Column[] = [],
  {
    schemaChanges = 'ignore',
    normalization = 'nested',
    primaryKey = [['id']],
  }: Partial<Pick<SyncInput, 'schemaChanges' | 'normalization'>> & { primaryKey?: string[][] } = {},
) {
  const input = {
    ...{ connectionId: 'c1', syncId: 1, normalization, schemaChanges, transfer: 'auto' },
    tables: [] as unknown[],
  } as SyncInput
  const stream = {
    config: {
      name: 't',
      syncMode: 'full_refresh',
      destinationSyncMode: 'append_dedup',
      primaryKey,
    },
    knownColumns: known,
  } as SyncStreamInput
  const found = { name: 't', json_schema: { properties }, supported_sync_modes: [] }
  const planned = planStream(input, stream, found, {
    source: { formats: [], rereadable: true },
    destination: {
      ...{ modes: ['append_dedup'], formats: [], ledger: true, transfer: 'direct', children: true },
      ...{ verify: [], namespaces: false },
      limits: { nulInText: true, nonFinite: true, years: [1, 9999] },
    },
  })
  const names = (columns: Column[]) => columns.map(({ name }) => name).filter((n) => n[0] !== '_')
  return {
    known: planned.flattened ?? planned.plan.columns,
    tables: {
      t: names(planned.plan.columns),
      ...Object.fromEntries(
        planned.plan.children?.map(({ table, columns }) => [table, names(columns)]) ?? [],
      ),
    },
    ignored: planned.ignored?.map(({ name, type }) => `${name} ${type}`) ?? [],
  }
}

const FIRST = {
  t: ['id', 'ship_to', 'ship_notes_count', 'items_count', 'free', 'list'],
  t_ship_notes: ['value'],
  t_items: ['sku', 'at_x'],
}

describe('under the policy `ignore`', () => {
  it('members that are new in objects and arrays become no columns, at whatever sync', () => {
    const first = plan(BEFORE)
    expect(first).toMatchObject({ tables: FIRST, ignored: [] })
    const second = plan(NOW, first.known)
    expect(second.tables).toEqual(FIRST)
    expect(second.ignored.toSorted()).toEqual([
      ...['free.x string', 'items[].at.y string', 'items[].parts[] string'],
      ...['items[].price string', 'list[] string', 'ship.city.name string', 'ship.ids[] string'],
    ])
    expect(plan(NOW, second.known)).toEqual(second)
  })

  it('a stream is taken apart whole that was not so far', () => {
    const first = plan(BEFORE, [], { normalization: 'basic' })
    const second = plan(NOW, first.known)
    expect(second.ignored).toEqual([])
    const { added: _, ...known } = NOW
    expect(second.tables).toEqual(plan(known).tables)
  })

  it('a member stays that the key needs, and one that is gone is missed by nobody', () => {
    const first = plan(BEFORE)
    const city = { ship: object({ city: object({ name: text }) }) }
    const second = plan({ id: text, ...city }, first.known, {
      primaryKey: [['ship', 'city', 'name']],
    })
    expect(second).toMatchObject({ tables: { t: ['id', 'ship_city_name'] }, ignored: [] })
    expect(plan({ id: text, ...city }, first.known)).toMatchObject({
      ...{ tables: { t: ['id'] }, ignored: ['ship.city.name string'] },
    })
  })
})

describe('under the policy `disable`', () => {
  const disable = { schemaChanges: 'disable' as const }
  it('the stream fails for what is new in objects and arrays, as for a new column', () => {
    const first = plan(BEFORE)
    const { added: _, ...now } = NOW
    expect(() => plan(now, first.known, disable)).toThrow(
      expect.objectContaining({
        ...{ code: 'SCHEMA_CHANGED', stream: 't' },
        message: expect.stringMatching(/new: .*ship\.city\.name.*items\[\]\.price/),
      }),
    )
    expect(plan(BEFORE, first.known, disable)).toMatchObject({ tables: FIRST, ignored: [] })
  })

  it('the stream fails for what has another type, also in objects and arrays', () => {
    const first = plan(BEFORE)
    const number: JsonSchema = { type: 'integer' }
    const retyped = (name: string, from = 'string') =>
      expect.objectContaining({
        ...{ code: 'SCHEMA_CHANGED', stream: 't' },
        message: expect.stringContaining(`retyped: ${name} ${from} → integer`),
      })
    const now = (change: Record<string, JsonSchema>) => () =>
      plan({ ...BEFORE, ...change }, first.known, disable)
    expect(now({ id: number })).toThrow(retyped('id'))
    expect(now({ list: number })).toThrow(retyped('list', 'array'))
    expect(now({ ship: object({ to: number, notes: array(text) }) })).toThrow(retyped('ship.to'))
    const items = array(object({ sku: number, at: object({ x: text }) }))
    expect(now({ items })).toThrow(retyped('items[].sku'))
  })

  it('a stream goes on that was taken apart before fields could be called as the links are', () => {
    const first = plan(BEFORE)
    const items = {
      sku: text,
      at: object({ x: text }),
      _airbyte_index: text,
      _airbyte_parent_id: array(text),
      _airbyte_root_id: object({ x: text }),
    }
    const now = plan({ ...BEFORE, items: array(object(items)) }, first.known, disable)
    expect(now.tables).toEqual(FIRST)
    expect(now.ignored).toEqual([
      'items[]._airbyte_index string',
      'items[]._airbyte_parent_id[] string',
      'items[]._airbyte_root_id.x string',
    ])
    const more = { ...items, _airbyte_indexes: text }
    expect(() => plan({ ...BEFORE, items: array(object(more)) }, first.known, disable)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/new: items\[\]\._airbyte_indexes\)/),
      }),
    )
  })

  it('nothing is said of types that were not kept, or not as the database calls them', () => {
    const known = [{ name: 'id' }, { name: 'list', type: 'array' }] as Column[]
    const native = { dialect: 'postgres', type: 'text[]' }
    const now = { id: text, list: { type: 'array', 'x-native': native } }
    expect(plan(now, known, disable).tables).toEqual({ t: ['id', 'list'] })
  })

  it('and not for a stream that is taken apart from now on', () => {
    const first = plan(BEFORE, [], { normalization: 'basic' })
    expect(plan(BEFORE, first.known, disable).tables).toEqual(FIRST)
  })
})

it('other policies add what is new in objects and arrays', () => {
  const first = plan(BEFORE)
  const second = plan(NOW, first.known, { schemaChanges: 'propagate_columns' })
  expect(second.ignored).toEqual([])
  expect(second.tables).toMatchObject({
    t_items: ['sku', 'price', 'at_x', 'at_y', 'parts_count'],
    t_ship_ids: ['value'],
  })
})
