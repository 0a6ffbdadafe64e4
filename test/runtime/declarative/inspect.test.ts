import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/protocol/index.ts'
import { inspectManifest } from '../../../src/runtime/declarative/index.ts'

const retriever = (over: JsonObject = {}): JsonObject => ({
  type: 'SimpleRetriever',
  requester: { type: 'HttpRequester', url_base: 'https://api.test', path: 'items' },
  record_selector: { extractor: { field_path: [] } },
  ...over,
})
const stream = (name: string, over: JsonObject = {}): JsonObject => ({
  ...{ type: 'DeclarativeStream', name, primary_key: 'id', retriever: retriever() },
  schema_loader: { type: 'InlineSchemaLoader', schema: { properties: { id: {} } } },
  ...over,
})
const manifest = (streams: JsonObject[], over: JsonObject = {}) =>
  JSON.stringify({
    ...{ version: '6.0.0', type: 'DeclarativeSource', streams, ...over },
    check: { type: 'CheckStream', stream_names: ['a'] },
  })
const inspected = async (over: JsonObject, more: JsonObject = {}) =>
  (await inspectManifest(manifest([stream('a', over)], more))).streams[0]

describe('what a manifest has', () => {
  it('is told without a config: streams, keys, cursors, static schemas', async () => {
    const incremental_sync = {
      ...{ type: 'DatetimeBasedCursor', cursor_field: 'at', datetime_format: '%Y-%m-%d' },
      start_datetime: "{{ config['start'] }}",
    }
    const dynamic = {
      ...{ type: 'DynamicSchemaLoader', retriever: retriever() },
      schema_type_identifier: { key_pointer: ['name'] },
    }
    const report = await inspectManifest(
      manifest([
        stream('a', { incremental_sync }),
        stream('b', { primary_key: ['x', 'y'], schema_loader: dynamic }),
        {
          ...{ type: 'ConditionalStreams', condition: "{{ config['more'] }}" },
          streams: [stream('c')],
        },
      ]),
    )
    expect(report).toMatchObject({ language: '6.0.0', dynamicStreams: [], configMigrations: 0 })
    expect(report.streams).toEqual([
      { name: 'a', primaryKey: [['id']], cursorField: 'at', schema: { properties: { id: {} } } },
      { name: 'b', primaryKey: [['x'], ['y']] },
      { name: 'c', primaryKey: [['id']], schema: { properties: { id: {} } }, conditional: true },
    ])
  })

  it('names what makes streams that only the API knows', async () => {
    const dynamic_streams = [
      {
        ...{ type: 'DynamicDeclarativeStream', name: 'tables', stream_template: stream('t') },
        components_resolver: {
          ...{ type: 'HttpComponentsResolver', retriever: retriever() },
          components_mapping: [],
        },
      },
    ]
    const report = await inspectManifest(manifest([], { dynamic_streams }))
    expect(report).toMatchObject({ streams: [], dynamicStreams: ['tables'] })
  })
})

describe('a stream', () => {
  it('is refused for a class that is not registered, also of its parent', async () => {
    const extractor = { class_name: 'source_x.components.Odd' }
    const custom = stream('p', { retriever: retriever({ record_selector: { extractor } }) })
    const partition_router = {
      type: 'SubstreamPartitionRouter',
      parent_stream_configs: [
        { type: 'ParentStreamConfig', stream: custom, parent_key: 'id', partition_field: 'p' },
      ],
    }
    const child = await inspected({ retriever: retriever({ partition_router }) })
    expect(child?.refused).toContain('source_x.components.Odd')
  })

  it('is refused for a template that cannot be read', async () => {
    const requester = { ...(retriever().requester as JsonObject), path: 'a/{{ x' }
    const found = await inspected({ retriever: retriever({ requester }) })
    expect(found?.refused).toMatch(/streams\[0\]\.retriever\.requester\.path.*column 5/)
  })

  it('is refused for a type that only a newer language may know', async () => {
    const newer = { decoder: { type: 'MorseDecoder' } }
    const found = await inspected({ retriever: retriever(newer) }, { version: '99.0.0' })
    expect(found?.refused).toContain("streams[0].retriever.decoder: The component type 'MorseDec")
  })

  it('is not refused for what its config may well have', async () => {
    const authenticator = {
      ...{ type: 'SelectiveAuthenticator', authenticator_selection_path: ['auth', 'kind'] },
      authenticators: { token: { type: 'NoAuth' } },
    }
    const requester = { ...(retriever().requester as JsonObject), authenticator }
    const incremental_sync = {
      ...{ type: 'DatetimeBasedCursor', cursor_field: 'at', datetime_format: '%Y-%m-%d' },
      start_datetime: "{{ config['since']['day'] }}",
    }
    const found = await inspected({ retriever: retriever({ requester }), incremental_sync })
    expect(found?.refused).toBeUndefined()
  })

  it('is built with values that the form of the config asks for', async () => {
    const connection_specification = {
      type: 'object',
      properties: {
        kind: { type: 'string', enum: ['first', 'second'] },
        since: { type: 'string', pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' },
        auth: {
          oneOf: [{ properties: { method: { const: 'token' }, token: { type: 'string' } } }],
        },
      },
    }
    const path = "{{ config['kind'] }}/{{ config['since'] }}/{{ config['auth']['method'] }}"
    const requester = { ...(retriever().requester as JsonObject), path }
    const spec = { type: 'Spec', connection_specification }
    const found = await inspected({ retriever: retriever({ requester }) }, { spec })
    expect(found?.refused).toBeUndefined()
  })
})
