/** What happens to record batches between source and destination. Columns in, columns out. */
export { type Coerced, coerceToLimits } from './coerce.ts'
export { type Pivoted, pivot } from './pivot.ts'
export { project } from './project.ts'
export { RAW_COLUMN, toRaw } from './raw.ts'
