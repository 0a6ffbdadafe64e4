import { type AirbyteStream, jsonSchemaOf } from '../../../src/protocol/index.ts'
import type { Relation } from './relations.ts'

/** The stream that a relation is in the catalog. */
export function streamOf(relation: Relation): AirbyteStream {
  const cursors = relation.columns.filter(({ type }) => type.cursor)
  const { key } = relation
  // An update is seen only if it moves the cursor, which in practice a date or time outside the key does.
  const updates = cursors.some(
    ({ name, type }) =>
      !key.includes(name) && (type.cursor === 'timestamp' || type.cursor === 'date'),
  )
  return {
    name: relation.name,
    namespace: relation.schema,
    json_schema: jsonSchemaOf(relation.columns.map(({ column }) => column)),
    supported_sync_modes: cursors.length > 0 ? ['full_refresh', 'incremental'] : ['full_refresh'],
    source_defined_cursor: false,
    ...(key.length > 0 ? { source_defined_primary_key: key.map((name) => [name]) } : {}),
    is_resumable: key.length > 0 || relation.kind === 'table',
    captures: { creates: cursors.length > 0, updates, deletes: false },
    ...(relation.rows !== null ? { estimated_rows: relation.rows } : {}),
  }
}
