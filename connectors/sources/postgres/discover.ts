import type { AirbyteStream } from '../../../src/protocol/index.ts'
import { catalogStream, loggedStream } from '../../../src/runtime/database/columns.ts'
import { withCdcColumns } from './cdc/columns.ts'
import { cdcOf } from './cdc/config.ts'
import type { SourceConfig } from './config.ts'
import type { Relation } from './relations.ts'
import { canBeNull, tellsNulls } from './sql.ts'

/** The stream that a relation is in the catalog. */
export function streamOf(relation: Relation, config: SourceConfig): AirbyteStream {
  const isResumable = relation.key.length > 0 || relation.kind === 'table'
  const isUntold = !tellsNulls(relation)
  const stream = catalogStream(relation, isResumable, (column) => isUntold && canBeNull(column))
  return cdcOf(config) ? fromLog(stream, relation) : stream
}

function fromLog(stream: AirbyteStream, relation: Relation): AirbyteStream {
  const inLog = relation.kind === 'table' || relation.kind === 'partitioned'
  const columns = withCdcColumns(relation, undefined).columns.map(({ column }) => column)
  return loggedStream(stream, columns, { inLog, cursor: CDC_CURSOR })
}

/** Place of a change in the log: rows of one stream come in its order. */
const CDC_CURSOR = '_ab_cdc_lsn'
