import { describe, expect, it } from 'vitest'
import { manifestSource } from '../../../src/runtime/declarative/index.ts'
import { testContext } from '../../conformance/context.ts'

const INFO = {
  ...{ name: 'shop', title: 'Shop', definitionId: '00000000-0000-0000-0000-000000000000' },
  ...{ version: '1.0.0', evidence: 'fixtures' as const },
}

describe('a source from the text of a manifest', () => {
  it('reads the text when it is first used, not when it is listed', () => {
    const broken = manifestSource('streams: [', INFO, '')
    expect(broken.info).toEqual(INFO)
    expect(broken.capabilities.formats).toEqual([])
    expect(() => broken.spec()).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED' }))
  })

  it('says in its catalog what the metadata says that incremental reads see', async () => {
    const manifest = `
version: 7.0.0
check: { type: CheckStream, stream_names: [orders] }
streams:
  - type: DeclarativeStream
    name: orders
    retriever:
      requester: { url_base: https://shop.test, path: orders }
      record_selector: { extractor: { field_path: [] } }
    incremental_sync:
      type: DatetimeBasedCursor
      cursor_field: id
      datetime_format: '%Y'
      start_datetime: '2026'
    schema_loader: { type: InlineSchemaLoader, schema: { properties: { id: {} } } }
`
    const metadata =
      'data: { definitionId: a, name: Shop, dockerImageTag: 1.0.0, license: MIT, captures: { orders: [creates] } }'
    const { streams } = await manifestSource(manifest, INFO, metadata).discover(testContext(), {})
    expect(streams[0]?.captures).toEqual({ creates: true, updates: false, deletes: false })
    // Streams that the API itself lists cannot be named there.
    const others = metadata.replace('orders: [creates]', "'*': [creates, updates]")
    const found = await manifestSource(manifest, INFO, others).discover(testContext(), {})
    expect(found.streams[0]?.captures).toEqual({ creates: true, updates: true, deletes: false })
  })

  it('reads its manifest in the language of the image that the metadata names', async () => {
    const manifest = `
version: 0.51.2
check: { type: CheckStream, stream_names: [orders] }
streams:
  - type: ConditionalStreams
    condition: "{{ config['nothing'] }}"
    streams:
      - type: DeclarativeStream
        name: orders
        retriever:
          requester: { url_base: https://shop.test, path: orders }
          record_selector: { extractor: { field_path: [] } }
        schema_loader: { type: InlineSchemaLoader, schema: { properties: { id: {} } } }
`
    const namesOf = async (image: string) => {
      const metadata = `data: { definitionId: a, name: Shop, dockerImageTag: 1.0.0, license: MIT, connectorBuildOptions: { baseImage: '${image}' } }`
      const { streams } = await manifestSource(manifest, INFO, metadata).discover(testContext(), {
        nothing: null,
      })
      return streams.map(({ name }) => name)
    }
    // Null is a condition that holds until 7.28.4.
    expect(await namesOf('airbyte/source-declarative-manifest:7.0.1')).toEqual(['orders'])
    expect(await namesOf('airbyte/source-declarative-manifest:7.30.0')).toEqual([])
  })
})
