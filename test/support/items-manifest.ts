/** How a release of the items connector differs from the first one. */
export interface ItemsRelease {
  /** More fields of the stream, as lines of YAML. */
  fields?: string[]
  /** More fields of the config. */
  config?: string[]
  required?: string[]
  /** More streams, by name. */
  streams?: string[]
  /** A stream that needs a Python class. */
  custom?: string
}

/** A manifest as somebody would import it: one stream of the items API, with a key. */
export function itemsManifest(baseUrl: string, release: ItemsRelease = {}): string {
  const { fields = [], config = ['account: { type: string, order: 1 }'] } = release
  const { required = ['api_key'], streams = [], custom } = release
  const indented = (lines: string[], width: number) =>
    lines.map((line) => `${' '.repeat(width)}${line}\n`).join('')
  return `version: 6.1.0
type: DeclarativeSource
check:
  type: CheckStream
  stream_names: [items]
definitions:
  requester:
    type: HttpRequester
    url_base: ${baseUrl}/api
    path: items
    authenticator:
      type: BearerAuthenticator
      api_token: "{{ config['api_key'] }}"
streams:
  - type: DeclarativeStream
    name: items
    primary_key: id
    retriever:
      type: SimpleRetriever
      requester: { $ref: "#/definitions/requester" }
      record_selector:
        type: RecordSelector
        extractor: { type: DpathExtractor, field_path: [items] }
    incremental_sync:
      type: DatetimeBasedCursor
      cursor_field: updated_at
      datetime_format: '%Y-%m-%d'
      start_datetime: '2024-01-01'
      start_time_option:
        type: RequestOption
        inject_into: request_parameter
        field_name: since
    schema_loader:
      type: InlineSchemaLoader
      schema:
        type: object
        properties:
          id: { type: integer }
          name: { type: string }
          updated_at: { type: string, format: date }
${indented(fields, 10)}${streams.map((name) => streamOf(name)).join('')}${custom === undefined ? '' : streamOf(custom, CUSTOM)}spec:
  type: Spec
  connection_specification:
    type: object
    required: [${required.join(', ')}]
    properties:
      api_key: { type: string, airbyte_secret: true, order: 0 }
${indented(config, 6)}`
}

const PLAIN = '{ type: DpathExtractor, field_path: [items] }'
const CUSTOM = '{ type: CustomRecordExtractor, class_name: source_items.components.ItemExtractor }'

const streamOf = (name: string, extractor = PLAIN) => `  - type: DeclarativeStream
    name: ${name}
    retriever:
      type: SimpleRetriever
      requester: { $ref: "#/definitions/requester" }
      record_selector: { type: RecordSelector, extractor: ${extractor} }
    schema_loader:
      type: InlineSchemaLoader
      schema: { type: object, properties: { id: { type: integer } } }
`
