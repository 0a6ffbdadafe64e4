/** What happens to record batches between source and destination. Columns in, columns out. */
export { coerceToLimits } from './coerce.ts'
export { fieldsOf } from './condition.ts'
export { applyMapping, mappedColumns, mappedPath, type PlannedMapping } from './mapping.ts'
export { project } from './project.ts'
export { toRaw } from './raw.ts'
