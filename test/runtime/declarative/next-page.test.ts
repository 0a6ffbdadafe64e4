import { expect, it } from 'vitest'
import type { ConfiguredStream, JsonObject } from '../../../src/protocol/index.ts'
import { custom } from '../../../src/runtime/declarative/custom/index.ts'
import { declarativeSource } from '../../../src/runtime/declarative/index.ts'
import { testContext } from '../../conformance/context.ts'
import { manifestOf } from './oracle.ts'

const INFO = {
  ...{ name: 'shop', title: 'Shop', definitionId: '00000000-0000-0000-0000-000000000000' },
  ...{ version: '1.0.0', evidence: 'fixtures' as const },
}
const WATCH = 'source_shop.components.Watch'

/** Pages 1 to 3 of two records each; what had been asked for when a page's first record was made. */
async function requestsSeen(pagination_strategy: JsonObject): Promise<Record<number, number>> {
  const manifest = manifestOf({
    name: '',
    stream: {
      schema_loader: { type: 'InlineSchemaLoader', schema: { properties: { id: {} } } },
      transformations: [{ type: 'CustomTransformation', class_name: WATCH }],
      retriever: {
        record_selector: { extractor: { field_path: ['items'] } },
        paginator: {
          type: 'DefaultPaginator',
          page_token_option: {
            ...{ type: 'RequestOption', inject_into: 'request_parameter', field_name: 'page' },
          },
          pagination_strategy,
        },
      },
    },
  }) as { streams: JsonObject[] }
  let requests = 0
  const seen: Record<number, number> = {}
  const context = testContext({
    http: {
      async fetch(url) {
        requests++
        const page = Number(new URL(String(url)).searchParams.get('page') ?? 1)
        const ids = page > 3 ? [] : page === 3 ? [30] : [page * 10, page * 10 + 1]
        const next = page < 3 ? { next: page + 1 } : {}
        return Response.json({ items: ids.map((id) => ({ id })), ...next })
      },
    },
  })
  const watch = custom('transformation', () => (record) => {
    const id = Number(record.id)
    if (id % 10 === 0) seen[id / 10] = requests
    record.id = id + 1000
  })
  const source = declarativeSource(manifest, INFO, { components: [{ [WATCH]: watch }] })
  const { streams } = await source.discover(context, {})
  const configured = streams.map((stream) => ({
    ...{ stream, syncMode: 'full_refresh', destinationSyncMode: 'append', cursorField: [] },
    ...{ primaryKey: [], generationId: 1, minimumGenerationId: 0, syncId: 1, format: 'records' },
  })) as unknown as ConfiguredStream[]
  requests = 0
  for await (const event of source.read(context, {}, configured, { streams: new Map() })) {
    if (event.type === 'error') throw new Error(event.error.message)
  }
  return seen
}

const EARLY = { 1: 2, 2: 3, 3: 3 }
const LATE = { 1: 1, 2: 2, 3: 3 }

it.each<[string, JsonObject]>([
  ['its number', { type: 'PageIncrement', page_size: 2, start_from_page: 1 }],
  ['the response', cursor('{{ response.next }}')],
  ['a header or the slice', cursor('{{ headers.next or response.get("next") }}')],
])('is under way before records are made of this one, where %s tells it', async (_, strategy) => {
  expect(await requestsSeen(strategy)).toEqual(EARLY)
})

it('is asked for after them where its token is one of theirs', async () => {
  const ofRecord = '{{ (last_record.id - 1000) // 10 + 1 if last_page_size == 2 }}'
  expect(await requestsSeen(cursor(ofRecord))).toEqual(LATE)
})

it('is not asked for while a stop condition waits for the count of records', async () => {
  const strategy = cursor('{{ response.next }}', '{{ last_page_size < 2 }}')
  expect(await requestsSeen(strategy)).toEqual(LATE)
})

function cursor(cursor_value: string, stop_condition?: string): JsonObject {
  return { type: 'CursorPagination', cursor_value, ...(stop_condition && { stop_condition }) }
}
