/** Rows with an array each, whose elements become a table: what crashes must leave whole. */
import type { Client } from 'pg'
import sampleData from '../../../connectors/sources/sample-data/index.ts'
import type { ToolCall } from '../../../scripts/lib/tool-call.ts'
import { testContext } from '../../conformance/context.ts'
import { createDestination, type Pipeline } from './crash-run.ts'

export const PURCHASES = 10_000
const CONFIG = { count: PURCHASES, records_per_slice: 1000 }

/** A purchase with its elements in their order, and how many elements there are, of whomever. */
export interface Family {
  purchases: string[]
  elements: number
}

export async function createPurchases(
  call: ToolCall,
  { destination, transfer }: Omit<Pipeline, 'source'>,
): Promise<void> {
  await call('create_source', { name: 'source', type: 'sample-data', config: CONFIG })
  await createDestination(call, destination)
  await call('create_connection', {
    ...{ name: 'crash', source: 'source', destination: 'destination', transfer },
    normalization: 'nested',
    streams: [
      {
        ...{ name: 'purchases', syncMode: 'incremental', destinationSyncMode: 'append_dedup' },
        ...{ primaryKey: [['id']], cursorField: ['updated_at'] },
      },
    ],
    // Some ten slices, each a chunk or two.
    limits: { sliceRows: 1000, chunkBytes: 50_000 },
  })
}

/** As the source gives them. */
export async function purchasesOfSource(): Promise<Family> {
  const { streams } = await sampleData.discover(testContext(), CONFIG)
  const stream = streams.find(({ name }) => name === 'purchases')
  if (!stream) throw new Error('the source has no purchases')
  const configured = {
    ...{ stream, syncMode: 'full_refresh' as const, destinationSyncMode: 'append' as const },
    ...{ cursorField: [], primaryKey: [], lookbackSeconds: 0, format: 'records' as const },
    ...{ generationId: 1, minimumGenerationId: 0, syncId: 1 },
  }
  const family: Family = { purchases: [], elements: 0 }
  for await (const event of sampleData.read(testContext(), CONFIG, [configured], {
    streams: new Map(),
  })) {
    if (event.type !== 'batch' || event.batch.kind !== 'records') continue
    const { schema, columns, length } = event.batch
    const cells = (name: string) => columns[schema.findIndex((column) => column.name === name)]
    for (let row = 0; row < length; row++) {
      const tags: string[] | null = JSON.parse(String(cells('tags')?.[row] ?? null))
      family.elements += tags?.length ?? 0
      family.purchases.push(
        [cells('id')?.[row], tags?.length ?? '~', tags?.join(',') ?? ''].join('|'),
      )
    }
  }
  return family
}

/** The same question in both dialects. */
export const familyQuestion = (purchases: string, tags: string) => `
  SELECT concat_ws('|', p.id, coalesce(p.tags_count::text, '~'), coalesce(t.tags, '')) AS line,
    (SELECT count(*) FROM ${tags} AS every) AS elements
  FROM ${purchases} AS p LEFT JOIN (
    SELECT _airbyte_parent_id, string_agg(value, ',' ORDER BY _airbyte_index) AS tags
    FROM ${tags} AS tags GROUP BY _airbyte_parent_id) AS t ON t._airbyte_parent_id = p._airbyte_raw_id
  ORDER BY p.id`

export const familyOf = (rows: { line?: unknown; elements?: unknown }[]): Family => ({
  purchases: rows.map(({ line }) => String(line)),
  elements: Number(rows[0]?.elements),
})

export async function purchasesOfTable(client: Client): Promise<Family> {
  const { rows } = await client.query(familyQuestion('purchases', 'purchases_tags'))
  return familyOf(rows)
}
