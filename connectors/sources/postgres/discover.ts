import type { AirbyteStream } from '../../../src/protocol/index.ts'
import { catalogStream } from '../../../src/runtime/database/columns.ts'
import type { Relation } from './relations.ts'

/** The stream that a relation is in the catalog. */
export const streamOf = (relation: Relation): AirbyteStream =>
  catalogStream(relation, relation.key.length > 0 || relation.kind === 'table')
