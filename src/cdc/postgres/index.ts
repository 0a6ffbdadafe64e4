export { freezeBound } from './bound.ts'
export { type ChangeFeed, type ChangeFeedOptions, openChangeFeed } from './change-feed.ts'
export { hasFields, jsonOfOwn, type OwnType, untoldIn } from './own-types/own-type.ts'
export { type TypeInLog, TypeVersions } from './own-types/versions.ts'
export { partitionsOf, partitionWarnings, seenPartitions } from './partitions.ts'
export { toChangeLog } from './pgoutput/change-log.ts'
export {
  CDC_COLUMNS,
  type ChangeBatch,
  type ChangeEvent,
  isUnchanged,
  orderOf,
  type RelationEvent,
  type TableShape,
} from './pgoutput/events.ts'
export type { PgRelation, ReplicaIdentity } from './pgoutput/relation.ts'
export {
  type CdcPosition,
  type ChangeOrder,
  compareOrder,
  type Lsn,
  lsnCell,
  parseLsn,
  positionFromJson,
  positionToJson,
  printLsn,
  SNAPSHOT_ORDER,
} from './position.ts'
export {
  checkPublication,
  dropPublication,
  ensurePublication,
  guardPublications,
  otherOwners,
  waitForOpenTransactions,
} from './publication.ts'
export { checkTables, nameOf, type PublishedTable } from './published-table.ts'
export { checkServer } from './server.ts'
export {
  checkSlot,
  dropSlot,
  ensureSlot,
  guardSlot,
  readSlot,
  type SlotStatus,
  takeOverSlot,
} from './slot.ts'
export {
  type FollowedTable,
  tableIncarnations,
  tableOid,
  UNTOLD,
  untoldTables,
} from './table-incarnation.ts'
