import { describe, expect, it } from 'vitest'
import {
  type ConfiguredStream,
  type JsonObject,
  type ReadEvent,
  toAirbyteError,
} from '../../../src/protocol/index.ts'
import { type CustomComponents, custom } from '../../../src/runtime/declarative/custom/index.ts'
import { CustomRegister } from '../../../src/runtime/declarative/custom/register.ts'
import { declarativeSource } from '../../../src/runtime/declarative/index.ts'
import { loadManifest } from '../../../src/runtime/declarative/manifest/load.ts'
import { testContext } from '../../conformance/context.ts'
import { manifestOf } from './oracle.ts'

const INFO = {
  ...{ name: 'shop', title: 'Shop', definitionId: '00000000-0000-0000-0000-000000000000' },
  ...{ version: '1.0.0', evidence: 'fixtures' as const },
}
const FANCY = 'source_shop.components.Fancy'
const EXTRACTOR = 'streams[1].retriever.record_selector.extractor'

const schema_loader = {
  type: 'InlineSchemaLoader',
  schema: { type: 'object', properties: { id: { type: 'integer' } } },
}

/** Three streams: one of the language's own, one with a class, and one that has it for a parent. */
function shop(over: JsonObject = {}): JsonObject {
  const { streams: [plain] = [], ...root } = manifestOf({
    name: '',
    stream: { schema_loader },
  }) as {
    streams: JsonObject[]
  }
  const extractor = { type: 'CustomRecordExtractor', class_name: FANCY }
  const fancy = withRetriever(plain as JsonObject, 'fancy', { record_selector: { extractor } })
  const partition_router = {
    type: 'SubstreamPartitionRouter',
    parent_stream_configs: [{ stream: fancy, parent_key: 'id', partition_field: 'fancy_id' }],
  }
  const child = withRetriever(plain as JsonObject, 'children', { partition_router })
  return { ...root, streams: [plain as JsonObject, fancy, child], ...over }
}

function withRetriever(stream: JsonObject, name: string, over: JsonObject): JsonObject {
  return { ...stream, name, retriever: { ...(stream.retriever as JsonObject), ...over } }
}

const ctx = () =>
  testContext({ http: { fetch: async () => new Response('{"fancy": {"id": 7}, "id": 1}') } })

async function readAll(manifest: JsonObject, components: CustomComponents[] = []) {
  const source = declarativeSource(manifest, INFO, { components })
  const context = ctx()
  const { streams } = await source.discover(context, {})
  const configured = streams.map((stream) => ({
    ...{ stream, syncMode: 'full_refresh', destinationSyncMode: 'append', cursorField: [] },
    ...{ primaryKey: [], generationId: 1, minimumGenerationId: 0, syncId: 1, format: 'records' },
  })) as unknown as ConfiguredStream[]
  const events: ReadEvent[] = []
  for await (const event of source.read(context, {}, configured, { streams: new Map() })) {
    events.push(event)
  }
  const ends = events.flatMap((event) =>
    event.type === 'status' && event.status.endsWith('complete')
      ? [[event.stream, event.status] as const]
      : [],
  )
  const errors = events.flatMap((event) => (event.type === 'error' ? [event] : []))
  return { streams, ends: Object.fromEntries(ends), errors, lines: context.lines, source }
}

describe('a class that is not registered', () => {
  it('is named by discovery, which lists its streams with their schemas all the same', async () => {
    const { streams, lines } = await readAll(shop())
    expect(streams.map(({ name }) => name)).toEqual(['items', 'fancy', 'children'])
    expect(streams[1]?.json_schema).toMatchObject(schema_loader.schema)
    expect(lines.filter((line) => line.includes('cannot be read'))).toEqual([
      expect.stringContaining(`fancy cannot be read: ${EXTRACTOR}: the custom class '${FANCY}'`),
      expect.stringContaining(`children cannot be read`),
    ])
  })

  it('refuses the streams that need it and no others', async () => {
    const { ends, errors } = await readAll(shop())
    expect(ends).toEqual({ items: 'complete', fancy: 'incomplete', children: 'incomplete' })
    expect(errors[0]).toMatchObject({
      stream: 'fancy',
      error: {
        code: 'UNSUPPORTED',
        field: EXTRACTOR,
        message: `${EXTRACTOR}: the custom class '${FANCY}' is not registered.`,
      },
    })
  })

  it('is named to the children of the stream that needs it', async () => {
    const { errors } = await readAll(shop())
    expect(errors[1]).toMatchObject({ stream: 'children', error: { code: 'UNSUPPORTED' } })
    expect(errors[1]?.error.message).toContain("which the parent stream 'fancy' needs")
  })

  it('fails a check of its stream, and of no other', async () => {
    const check = (name: string) => ({ type: 'CheckStream', stream_names: [name] })
    const of = (name: string) => declarativeSource(shop({ check: check(name) }), INFO)
    expect(await of('items').check(ctx(), {})).toEqual({ ok: true })
    expect(await of('fancy').check(ctx(), {})).toMatchObject({
      ok: false,
      problem: { code: 'UNSUPPORTED', message: expect.stringContaining(FANCY) },
    })
  })

  it('that changes the config refuses the source, because all streams need it', async () => {
    const transformation = { type: 'CustomConfigTransformation', class_name: FANCY }
    const rules = { type: 'ConfigNormalizationRules', transformations: [transformation] }
    const spec = { type: 'Spec', config_normalization_rules: rules, connection_specification: {} }
    const source = declarativeSource(shop({ spec }), INFO)
    const error = await source.discover(ctx(), { a: 1 }).then(undefined, toAirbyteError)
    expect(error).toMatchObject({
      code: 'UNSUPPORTED',
      field: 'spec.config_normalization_rules.transformations[0]',
    })
  })

  it('that is a cursor is refused with what has become of such cursors', async () => {
    const cursor = { type: 'CustomIncrementalSync', class_name: FANCY, cursor_field: 'id' }
    const of = async (version: string) => {
      const { streams: [plain] = [], ...root } = shop() as { streams: JsonObject[] }
      const manifest = { ...root, version, streams: [{ ...plain, incremental_sync: cursor }] }
      return (await readAll(manifest as JsonObject)).errors[0]?.error
    }
    expect(await of('6.33.0')).toMatchObject({
      ...{ code: 'UNSUPPORTED', field: 'streams[0].incremental_sync' },
      message: expect.stringMatching(/Fancy.*keeps a state of its own/),
    })
    expect((await of('7.39.1'))?.message).toContain('no longer part of the language')
  })
})

describe('a node that is no proper class', () => {
  const manifestWith = (extractor: JsonObject) => {
    const { streams: [plain] = [], ...root } = shop() as { streams: JsonObject[] }
    const stream = withRetriever(plain as JsonObject, 'items', { record_selector: { extractor } })
    return { ...root, streams: [stream] } as JsonObject
  }
  const withExtractor = async (extractor: JsonObject, components: CustomComponents[] = []) =>
    (await readAll(manifestWith(extractor), components)).errors[0]?.error

  it.each([
    [{ type: 'CustomRecordExtractor' }, '.class_name', 'needs this field'],
    [{ type: 'CustomRecordExtractor', class_name: 7 }, '.class_name', 'must be text'],
    [{ type: 'CustomExtractor', class_name: FANCY }, '', "type 'CustomExtractor' is not known"],
    [{ type: 'RecordExtractor' }, '', "type 'RecordExtractor' is not known"],
  ])('is refused by its place: %j', (extractor, field, message) => {
    expect(() => loadManifest(manifestWith(extractor))).toThrow(
      expect.objectContaining({
        code: 'VALIDATION_FAILED',
        field: `streams[0].retriever.record_selector.extractor${field}`,
        message: expect.stringContaining(message),
      }),
    )
  })

  it('is told what a registered class misses in it', async () => {
    const needy = custom('recordExtractor', (component) => {
      const table = component.text('table')
      return ({ json }) => [(json as Record<string, JsonObject>)[table] ?? {}]
    })
    const error = await withExtractor({ class_name: 'Fancy' }, [{ Fancy: needy }])
    expect(error).toMatchObject({
      code: 'VALIDATION_FAILED',
      field: 'streams[0].retriever.record_selector.extractor.table',
    })
  })

  it('says so when what a class gives is no record', async () => {
    const odd = custom('recordExtractor', () => () => [7 as unknown as JsonObject])
    const error = await withExtractor({ class_name: 'Fancy' }, [{ Fancy: odd }])
    expect(error?.message).toContain('a number where a record is expected')
  })

  it('keeps a field that is named like what every object has', async () => {
    const odd = custom('recordExtractor', () => () => [JSON.parse('{"__proto__": 1, "id": 3}')])
    expect(await withExtractor({ class_name: 'Fancy' }, [{ Fancy: odd }])).toBeUndefined()
  })
})

describe('a registered class', () => {
  const inField = (field: string) =>
    custom('recordExtractor', () => ({ json }) => [
      (json as Record<string, JsonObject>)[field] ?? {},
    ])
  const idsOf = async (components: CustomComponents[]) => {
    const source = declarativeSource(shop(), INFO, { components })
    const { streams } = await source.discover(ctx(), {})
    const stream = streams[1]
    const configured = {
      ...{ stream, syncMode: 'full_refresh', destinationSyncMode: 'append', cursorField: [] },
      ...{ primaryKey: [], generationId: 1, minimumGenerationId: 0, syncId: 1, format: 'records' },
    } as unknown as ConfiguredStream
    const ids: unknown[] = []
    for await (const event of source.read(ctx(), {}, [configured], { streams: new Map() })) {
      if (event.type === 'error') throw new Error(event.error.message)
      if (event.type === 'batch' && event.batch.kind === 'records') {
        ids.push(...(event.batch.columns[0] ?? []))
      }
    }
    return ids
  }

  it('runs, found by its whole name or by the last part of it', async () => {
    expect(await idsOf([{ [FANCY]: inField('fancy') }])).toEqual([7])
    expect(await idsOf([{ Fancy: inField('fancy') }])).toEqual([7])
    await expect(idsOf([{ 'other.components.Fancy': inField('fancy') }])).rejects.toThrow(FANCY)
  })

  it('comes from the first table that has it: a connector overrides what all have', async () => {
    const shared = { [FANCY]: inField('nothing') }
    expect(await idsOf([{ Fancy: inField('fancy') }, shared])).toEqual([7])
  })

  it('of another family is refused, and both families are named', async () => {
    const transformation = custom('transformation', () => () => {})
    await expect(idsOf([{ Fancy: transformation }])).rejects.toThrow(
      'is a CustomTransformation, not a CustomRecordExtractor',
    )
  })

  it('is not taken from what every object has', () => {
    expect(new CustomRegister({}).find('constructor')).toBeUndefined()
    expect(new CustomRegister({}).find('a.__proto__')).toBeUndefined()
  })

  it('that throws fails its stream alone', async () => {
    const broken = custom('recordExtractor', () => () => {
      throw new Error('no such field')
    })
    const { ends, errors } = await readAll(shop(), [{ Fancy: broken }])
    expect(ends).toEqual({ items: 'complete', fancy: 'incomplete', children: 'incomplete' })
    expect(errors[0]?.error.message).toContain('no such field')
  })
})
