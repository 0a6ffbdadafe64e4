import type { JsonObject } from '../../src/protocol/index.ts'

export const SHOP_URL = 'https://shop.test'

export const SHOP_INFO = {
  ...{ name: 'shop', title: 'Shop', definitionId: '00000000-0000-4000-8000-00000000a5b0' },
  ...{ version: '1.0.0', evidence: 'fixtures' as const },
}

export interface ShopStream {
  name: string
  /** Over the fields of the stream, its retriever and its requester. */
  stream?: JsonObject
  retriever?: JsonObject
  requester?: JsonObject
}

/** Waits as long as the API's `Retry-After` says. */
const PATIENT = {
  type: 'DefaultErrorHandler',
  backoff_strategies: [{ type: 'WaitTimeFromHeader', header: 'Retry-After' }],
}

/**
 * A declarative source of the tests' own: `GET /<stream>?page=n` gives two records a page until one
 * has fewer.
 */
export const shopManifest = (streams: ShopStream[], parts: JsonObject = {}): JsonObject => ({
  ...{ version: '7.0.0', type: 'DeclarativeSource' },
  check: { type: 'CheckStream', stream_names: [streams[0]?.name ?? ''] },
  streams: streams.map(shopStream),
  spec: {
    type: 'Spec',
    connection_specification: {
      type: 'object',
      properties: { url: { type: 'string' }, secret: { type: 'string', airbyte_secret: true } },
    },
  },
  ...parts,
})

export const shopStream = ({ name, stream, retriever, requester }: ShopStream): JsonObject => ({
  ...{ type: 'DeclarativeStream', name, primary_key: 'id' },
  retriever: {
    type: 'SimpleRetriever',
    requester: {
      ...{ type: 'HttpRequester', http_method: 'GET', path: `/${name}` },
      url_base: `{{ config['url'] or '${SHOP_URL}' }}`,
      error_handler: PATIENT,
      ...requester,
    },
    record_selector: { extractor: { type: 'DpathExtractor', field_path: [] } },
    paginator: {
      type: 'DefaultPaginator',
      page_token_option: {
        ...{ type: 'RequestOption', inject_into: 'request_parameter', field_name: 'page' },
      },
      pagination_strategy: { type: 'PageIncrement', page_size: 2, inject_on_first_request: true },
    },
    ...retriever,
  },
  schema_loader: {
    type: 'InlineSchemaLoader',
    schema: {
      type: 'object',
      properties: { id: { type: 'integer' }, updated_at: { type: 'string' } },
    },
  },
  ...stream,
})

/** A router that makes a partition of each record of the parent; requests carry its id. */
export const childrenOf = (parent: ShopStream, injects = true): JsonObject => ({
  type: 'SubstreamPartitionRouter',
  parent_stream_configs: [
    {
      ...{ type: 'ParentStreamConfig', parent_key: 'id', partition_field: 'parent' },
      stream: shopStream(parent),
      ...(injects && {
        request_option: {
          ...{ type: 'RequestOption', inject_into: 'request_parameter', field_name: 'parent' },
        },
      }),
    },
  ],
})
