const lines = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n')

/** A manifest of the size of the largest one known, some 1.3 MB. */
export function largeManifest(baseUrl = 'https://api.example.com'): string {
  const fields = lines(60, (i) => `          field_${i}: { type: [string, 'null'], title: 'A: b' }`)
  const stream = (i: number) => `  - type: DeclarativeStream
    name: s${i}
    retriever:
      type: SimpleRetriever
      requester: { $ref: "#/definitions/requester", path: p${i} }
      record_selector: { type: RecordSelector, extractor: { type: DpathExtractor, field_path: [] } }
    schema_loader:
      type: InlineSchemaLoader
      schema:
        type: object
        properties:
${fields}`
  return `version: 6.1.0
type: DeclarativeSource
check: { type: CheckStream, stream_names: [s0] }
definitions:
  requester: { type: HttpRequester, url_base: "${baseUrl}" }
streams:
${lines(340, stream)}
spec:
  type: Spec
  connection_specification:
    type: object
    properties: { api_key: { type: string, airbyte_secret: true } }
`
}
