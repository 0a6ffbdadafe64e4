/** What happens to record batches between source and destination. Columns in, columns out. */
export { coerceToLimits } from './coerce.ts'
export { fieldsOf } from './condition.ts'
export {
  FLATTEN_DEFAULTS,
  type FlattenOptions,
  flatColumns,
  flatPath,
  flatten,
  withMembers,
} from './flatten.ts'
export { applyMapping, mappedColumns, mappedPath, type PlannedMapping } from './mapping.ts'
export { project } from './project.ts'
export { toRaw } from './raw.ts'
