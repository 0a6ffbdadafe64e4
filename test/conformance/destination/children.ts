import { expect } from 'vitest'
import {
  childTables,
  coerceToLimits,
  Nesting,
  tableColumns,
  withMembers,
  withTables,
} from '../../../src/core/normalization/index.ts'
import {
  type Batch,
  type Cell,
  columnsOf,
  type JsonSchema,
  type RowOp,
  streamKey,
} from '../../../src/protocol/index.ts'
import type { Chunk, Destination, StreamPlan } from '../../../src/runtime/contract.ts'
import { decodeCopyText } from '../../../src/runtime/formats/pg-copy-text.ts'
import type { DestinationCase } from '../destination-suite.ts'
import { nextGeneration, type Opened, planFor, withLoader } from '../loading.ts'

const SCHEMA: JsonSchema = {
  properties: {
    id: { type: 'integer' },
    version: { type: 'integer' },
    items: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          sku: { type: 'string' },
          price: { type: 'number' },
          parts: { type: 'array', items: { type: 'string' } },
        },
      },
    },
  },
}

const OPTIONS = { depth: 10, separator: '_', arrays: true }

/** A row of the stream: id, version, and the items as JSON. */
type Order = [id: number | null, version: number | null, items: string | null]

const item = (sku: string, ...parts: string[]) =>
  JSON.stringify({ sku, price: 1.5, ...(parts.length > 0 && { parts }) })

/** Rows that have arrays: their elements come, are replaced and go with them. */
export function childCases({ destination, opened, base, it }: DestinationCase): void {
  const overwrites = base.mode.startsWith('overwrite')

  it('holds the elements of arrays, and tells null from an empty array', async () => {
    const family = familyOf(base)
    await load(opened(), family, [
      [
        [1, 1, `[${item('a', 'x', 'y')},null,${item('b')}]`],
        [2, 1, null],
        [3, 1, '[]'],
      ],
    ])
    expect(await read(opened(), family)).toEqual({
      orders: ['1 3', '2 null', '3 0'],
      items: ['0 a 1.5 2', '1 null null null', '2 b 1.5 null'],
      parts: ['0 x', '1 y'],
    })
    const [items, parts] = await links(opened(), family)
    expect(new Set(items?.map(({ root }) => root)).size).toBe(1)
    expect(items?.every(({ parent, root }) => parent === root)).toBe(true)
    expect(parts?.map(({ root }) => root)).toEqual([items?.[0]?.root, items?.[0]?.root])
    expect(parts?.every(({ parent, root }) => parent !== root)).toBe(true)
  })

  it('adds no element of a chunk twice, and none of one that failed', async () => {
    const family = familyOf(base)
    const rows: Order[] = [[1, 1, `[${item('a', 'x')}]`]]
    await withLoader(opened(), family.plan, async (loader) => {
      await loader.prepare(1)
      const broken = chunkOf(destination, family, 'c0', rows, { failure: new Error('broke') })
      await expect(loader.load(broken, 1)).rejects.toThrow('broke')
    })
    await withLoader(opened(), family.plan, async (loader) => {
      await loader.prepare(2)
      await loader.load(chunkOf(destination, family, 'c0', rows), 2)
      const replay = await loader.load(chunkOf(destination, family, 'c0', rows), 2)
      expect(replay).toMatchObject({ duplicate: true, rows: 1 })
      await loader.finish(2)
    })
    expect(await read(opened(), family)).toEqual({
      ...{ orders: ['1 1'], items: ['0 a 1.5 1'], parts: ['0 x'] },
    })
  })

  it('shows a new generation of rows and elements together', async () => {
    const family = familyOf(base)
    await load(opened(), family, [[[1, 1, `[${item('old', 'x')}]`]]])
    const next = { ...family, plan: nextGeneration(family.plan) }
    await load(opened(), next, [[[2, 1, `[${item('new')}]`]]], { fence: 2, finish: false })
    const old = { orders: ['1 1'], items: ['0 old 1.5 1'], parts: ['0 x'] }
    const added = { orders: ['2 1'], items: ['0 new 1.5 null'], parts: [] }
    const both = {
      orders: ['1 1', '2 1'],
      items: ['0 new 1.5 null', '0 old 1.5 1'],
      parts: ['0 x'],
    }
    expect(await read(opened(), next)).toEqual(overwrites ? old : both)
    await withLoader(opened(), next.plan, (loader) => loader.finish(2))
    expect(await read(opened(), next)).toEqual(overwrites ? added : both)
  })

  it('drops the elements with the generation that is given up', async () => {
    if (!overwrites) return
    const family = familyOf(base)
    await load(opened(), family, [[[1, 1, `[${item('old')}]`]]])
    const next = { ...family, plan: nextGeneration(family.plan) }
    await load(opened(), next, [[[2, 1, `[${item('new')}]`]]], { fence: 2, finish: false })
    await withLoader(opened(), next.plan, (loader) => loader.abort(2))
    await load(opened(), next, [[[3, 1, `[${item('third')}]`]]], { fence: 3 })
    expect(await read(opened(), next)).toEqual({
      ...{ orders: ['3 1'], items: ['0 third 1.5 null'], parts: [] },
    })
  })

  if (!base.mode.endsWith('dedup')) return

  it('replaces the elements of a row with the row, and not for one that comes late', async () => {
    const family = familyOf(base)
    await load(opened(), family, [
      [
        [1, 5, `[${item('a5', 'x')},${item('b5')}]`],
        [2, 5, `[${item('kept', 'z')}]`],
        [3, 5, `[${item('c5')}]`],
      ],
      [
        [1, 6, `[${item('early')}]`],
        [1, 7, `[${item('a7', 'y')}]`],
        [2, 4, `[${item('late', 'late')}]`],
        [3, 6, null],
      ],
    ])
    expect(await read(opened(), family)).toEqual({
      orders: ['1 1', '2 1', '3 null'],
      items: ['0 a7 1.5 1', '0 kept 1.5 1'],
      parts: ['0 y', '0 z'],
    })
  })

  if (base.mode !== 'append_dedup') return

  it('removes the elements of rows that a change log deletes, and brings those of rows that come back', async () => {
    const family = familyOf(base)
    await load(opened(), family, [
      [
        [1, 1, `[${item('a', 'x')}]`],
        [2, 1, `[${item('b', 'y')}]`],
      ],
    ])
    const log = (id: string, rows: Order[], op: RowOp[], fence: number) =>
      withLoader(opened(), family.plan, async (loader) => {
        await loader.prepare(fence)
        await loader.load(chunkOf(destination, family, id, rows, { op }), fence)
        await loader.finish(fence)
      })
    for (const [fence, gone] of [
      [2, 'd'],
      [4, 'x'],
    ] as const) {
      const left: Order[] = [
        [1, fence, null],
        [7, fence, null],
      ]
      await log(`gone ${gone}`, left, [gone, gone], fence)
      expect(await read(opened(), family)).toEqual({
        ...{ orders: ['2 1'], items: ['0 b 1.5 1'], parts: ['0 y'] },
      })
      await log(`back ${gone}`, [[1, fence + 1, `[${item('again')}]`]], ['u'], fence + 1)
      expect((await read(opened(), family)).items).toEqual(['0 again 1.5 null', '0 b 1.5 1'])
    }
    await log(
      'emptied',
      [
        [null, 6, null],
        [9, 7, `[${item('after')}]`],
      ],
      ['t', 'u'],
      6,
    )
    expect(await read(opened(), family)).toEqual({
      ...{ orders: ['9 1'], items: ['0 after 1.5 null'], parts: [] },
    })
  })

  for (const [when, properties] of [
    ['its stream is no longer nested', {}],
    ['it is no longer in the elements', { items: withoutParts(SCHEMA) }],
  ] as const)
    it(`takes the elements of replaced rows out of the table of an array when ${when}`, () =>
      replacedWithout(properties))

  async function replacedWithout(properties: Record<string, JsonSchema>): Promise<void> {
    const family = familyOf(base)
    const rows = [1, 2, 3, 4].map((id): Order => [id, 1, `[${item(`old ${id}`, `part ${id}`)}]`])
    await load(opened(), family, [rows])
    const { id, version } = SCHEMA.properties as Record<string, JsonSchema>
    const without = familyOf(family.plan, {
      properties: { id, version, ...properties },
    } as JsonSchema)
    const isNested = (without.plan.children ?? []).length > 0
    await withLoader(opened(), without.plan, async (loader) => {
      await loader.prepare(2)
      const changes: Order[] = [
        [1, 2, `[${item('new 1', 'not told')}]`],
        [2, 2, null],
        [3, 0, null],
      ]
      const op: RowOp[] = ['u', 'd', 'u']
      await loader.load(chunkOf(destination, without, 'replaced', changes, { op }), 2)
      await loader.finish(2)
    })
    expect(await read(opened(), family)).toMatchObject({
      items: [...(isNested ? ['0 new 1 1.5 null'] : []), '0 old 3 1.5 1', '0 old 4 1.5 1'],
      parts: ['0 part 3', '0 part 4'],
    })
    await withLoader(opened(), without.plan, async (loader) => {
      await loader.prepare(3)
      const changes: Order[] = [[null, 3, null]]
      await loader.load(chunkOf(destination, without, 'emptied', changes, { op: ['t'] }), 3)
      await loader.finish(3)
    })
    expect(await read(opened(), family)).toEqual({ orders: [], items: [], parts: [] })
  }
}

interface Family {
  plan: StreamPlan
  columns: ReturnType<typeof withTables>
}

function withoutParts({ properties }: JsonSchema): JsonSchema {
  const { items } = properties as { items: { items: { properties: Record<string, JsonSchema> } } }
  const { parts: _, ...others } = items.items.properties
  return { ...items, items: { ...items.items, properties: others } } as JsonSchema
}

function familyOf(base: Partial<StreamPlan>, schema = SCHEMA): Family {
  const plan = planFor(base)
  const drafts = withMembers(columnsOf(schema), schema, OPTIONS, [])
  const columns = withTables(drafts, plan.target.table, OPTIONS, new Set())
  return {
    columns,
    plan: { ...plan, columns: tableColumns(columns), children: childTables(columns, '') },
  }
}

interface ChunkOptions {
  op?: RowOp[]
  failure?: Error
}

/** A chunk as the engine makes it. */
function chunkOf(
  { capabilities: { limits } }: Destination,
  { plan, columns }: Family,
  name: string,
  rows: Order[],
  { op, failure }: ChunkOptions = {},
): Chunk {
  const id = `${name}-${streamKey(plan.stream)}-${plan.generationId}`
  async function* body(): AsyncGenerator<Batch> {
    const children = plan.children ?? []
    const nesting = new Nesting({ chunk: id, columns, children, limits })
    const batch = {
      ...{ kind: 'records' as const, stream: streamKey(plan.stream), schema: columns },
      ...{ length: rows.length, extractedAt: 1_700_000_000_000, ...(op && { op }) },
      columns: columns.map((_, c) => rows.map((row) => row[c] as Cell)),
    }
    const fitted = coerceToLimits(batch, columns, limits, []).batch
    yield* children.length > 0 ? nesting.split(fitted) : [fitted]
    if (failure) throw failure
  }
  return { id, body: body(), end: () => ({ state: { after: id }, complete: false }) }
}

async function load(
  opened: Opened,
  family: Family,
  chunks: Order[][],
  { fence = 1, finish = true } = {},
): Promise<void> {
  await withLoader(opened, family.plan, async (loader) => {
    await loader.prepare(fence)
    for (const [i, rows] of chunks.entries())
      await loader.load(chunkOf(opened.destination, family, `f${fence}c${i}`, rows), fence)
    if (finish) await loader.finish(fence)
  })
}

/** The visible rows of each table as text, without the ids. */
async function read(opened: Opened, { plan }: Family) {
  const texts = async (child?: number) => {
    const rows = await rowsOf(opened, plan, child)
    const skipped = child === undefined ? 0 : 2
    return rows.map((row) => row.slice(skipped).map(String).join(' ')).sort()
  }
  const orders = await texts()
  return {
    // Without the version.
    orders: orders.map((text) =>
      text
        .split(' ')
        .filter((_, i) => i !== 1)
        .join(' '),
    ),
    items: await texts(0),
    parts: await texts(1),
  }
}

async function links(opened: Opened, { plan }: Family) {
  const of = async (child: number) =>
    (await rowsOf(opened, plan, child)).map(([parent, root]) => ({ parent, root }))
  return [await of(0), await of(1)]
}

async function rowsOf(opened: Opened, plan: StreamPlan, child?: number): Promise<Cell[][]> {
  return withLoader(opened, plan, async (loader) => {
    const rows: Cell[][] = []
    for await (const batch of loader.readBack?.(undefined, child) ?? []) {
      const records =
        batch.kind === 'records' ? batch : decodeCopyText(batch.bytes, batch.schema, batch)
      for (let row = 0; row < records.length; row++)
        rows.push(records.columns.map((cells) => cells[row] ?? null))
    }
    return rows
  })
}
