/** A manifest as somebody would import it: one stream of the items API, with a key. */
export function itemsManifest(baseUrl: string, version = '1.0.0'): string {
  return `version: ${version}
type: DeclarativeSource
check:
  type: CheckStream
  stream_names: [items]
streams:
  - type: DeclarativeStream
    name: items
    primary_key: id
    retriever:
      type: SimpleRetriever
      requester:
        type: HttpRequester
        url_base: ${baseUrl}/api
        path: items
        authenticator:
          type: BearerAuthenticator
          api_token: "{{ config['api_key'] }}"
      record_selector:
        type: RecordSelector
        extractor: { type: DpathExtractor, field_path: [items] }
    incremental_sync:
      type: DatetimeBasedCursor
      cursor_field: updated_at
      datetime_format: '%Y-%m-%d'
      start_datetime: '2024-01-01'
      start_time_option: { inject_into: request_parameter, field_name: since }
    schema_loader:
      type: InlineSchemaLoader
      schema:
        type: object
        properties:
          id: { type: integer }
          name: { type: string }
          updated_at: { type: string, format: date }
spec:
  type: Spec
  connection_specification:
    type: object
    required: [api_key]
    properties:
      api_key: { type: string, airbyte_secret: true, order: 0 }
      account: { type: string, order: 1 }
`
}
