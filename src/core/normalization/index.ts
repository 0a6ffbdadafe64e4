/** What happens to record batches between source and destination. Columns in, columns out. */
export { coerceToLimits } from './coerce.ts'
export { pivot } from './pivot.ts'
export { project } from './project.ts'
export { toRaw } from './raw.ts'
