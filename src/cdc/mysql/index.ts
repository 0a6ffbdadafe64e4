export { openBinlog } from './binlog-feed.ts'
export { ServerCharsets } from './charsets.ts'
export { CDC_COLUMNS, CDC_CURSOR } from './columns.ts'
export { baseAbove, bytesAfter, guardPosition } from './guard.ts'
export {
  type BinlogPosition,
  hasPassed,
  orderOf,
  positionFromJson,
  positionToJson,
  printPosition,
} from './position.ts'
export { shapeOf } from './row-shape.ts'
export {
  binlogFiles,
  checkServer,
  endOfLog,
  gtidOf,
  hasLog,
  type LogPoint,
  serverIdentity,
  settledPoint,
  unloggedSchemas,
} from './server.ts'
