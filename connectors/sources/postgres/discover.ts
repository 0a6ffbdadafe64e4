import { type AirbyteStream, jsonSchemaOf } from '../../../src/protocol/index.ts'
import { catalogStream } from '../../../src/runtime/database/columns.ts'
import { withCdcColumns } from './cdc/columns.ts'
import { cdcOf } from './cdc/config.ts'
import type { SourceConfig } from './config.ts'
import type { Relation } from './relations.ts'

/** The stream that a relation is in the catalog. */
export function streamOf(relation: Relation, config: SourceConfig): AirbyteStream {
  const stream = catalogStream(relation, relation.key.length > 0 || relation.kind === 'table')
  return cdcOf(config) ? fromLog(stream, relation) : stream
}

/** What is not a table has no changes in the log. */
function fromLog(stream: AirbyteStream, relation: Relation): AirbyteStream {
  const inLog = relation.kind === 'table' || relation.kind === 'partitioned'
  const { columns } = withCdcColumns(relation, undefined)
  return {
    ...stream,
    json_schema: jsonSchemaOf(columns.map(({ column }) => column)),
    supported_sync_modes: inLog ? ['full_refresh', 'incremental'] : ['full_refresh'],
    ...(inLog ? { source_defined_cursor: true, default_cursor_field: [CDC_CURSOR] } : {}),
    captures: { creates: inLog, updates: inLog, deletes: inLog },
  }
}

/** Place of a change in the log: rows of one stream come in its order. */
const CDC_CURSOR = '_ab_cdc_lsn'
