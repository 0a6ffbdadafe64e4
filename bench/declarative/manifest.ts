import type { ConnectorInfo } from '../../src/runtime/contract.ts'

/** One stream of 100 records a page; the CDK reads the same. */
export const MANIFEST = `version: 6.0.0
type: DeclarativeSource
check: { type: CheckStream, stream_names: [people] }
streams:
  - type: DeclarativeStream
    name: people
    primary_key: id
    retriever:
      type: SimpleRetriever
      requester:
        type: HttpRequester
        url_base: "{{ config['url'] }}"
        path: people
        http_method: GET
        authenticator: { type: BearerAuthenticator, api_token: "{{ config['token'] }}" }
        request_parameters: { total: "{{ config['total'] }}" }
      record_selector:
        type: RecordSelector
        extractor: { type: DpathExtractor, field_path: [data] }
        record_filter: { type: RecordFilter, condition: "{{ record['active'] }}" }
      paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: page }
        page_size_option: { type: RequestOption, inject_into: request_parameter, field_name: per_page }
        pagination_strategy: { type: PageIncrement, page_size: 100, start_from_page: 1 }
    transformations:
      - type: AddFields
        fields: [{ type: AddedFieldDefinition, path: [city], value: "{{ record['address']['city'] }}" }]
      - { type: RemoveFields, field_pointers: [[internal]] }
    schema_loader:
      type: InlineSchemaLoader
      schema:
        type: object
        properties:
          id: { type: [integer, 'null'] }
          name: { type: [string, 'null'] }
          email: { type: [string, 'null'] }
          active: { type: [boolean, 'null'] }
          balance: { type: [number, 'null'] }
          visits: { type: [integer, 'null'] }
          created_at: { type: [string, 'null'], format: date-time }
          updated_at: { type: [string, 'null'], format: date-time }
          address: { type: [object, 'null'] }
          tags: { type: [array, 'null'] }
          orders: { type: [array, 'null'] }
          city: { type: [string, 'null'] }
spec:
  type: Spec
  connection_specification:
    type: object
    properties: { url: { type: string }, token: { type: string }, total: { type: integer } }
`

export const INFO: ConnectorInfo = {
  ...{ name: 'bench', title: 'Bench', version: '1.0.0', evidence: 'fixtures' },
  definitionId: '00000000-0000-0000-0000-000000000000',
}
