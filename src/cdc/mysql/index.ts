export { isKept, openBinlog } from './binlog-feed.ts'
export { CDC_COLUMNS, CDC_CURSOR } from './columns.ts'
export {
  type BinlogPosition,
  fileNumber,
  hasPassed,
  orderOf,
  positionFromJson,
  positionToJson,
  printPosition,
} from './position.ts'
export { type KnownColumn, type LoggedStream, shapeOf } from './row-shape.ts'
export type { TableMap } from './table-map.ts'
