/** What happens to record batches between source and destination. Columns in, columns out. */
export { coerceToLimits } from './coerce.ts'
export { comparisonsOf, fieldsOf } from './condition.ts'
export { childTables, isCalledAsLink, tableColumns, tablesIn, withTables } from './elements.ts'
export { fieldsIn, type Retyped, retypedFields, typeName } from './fields.ts'
export { flatten } from './flatten.ts'
export { withoutNew } from './ignored.ts'
export { literalCell } from './literal.ts'
export { applyMapping, mappedColumns, mappedPath, type PlannedMapping } from './mapping.ts'
export {
  FLATTEN_DEFAULTS,
  type FlattenOptions,
  flatColumns,
  flatPath,
  withMembers,
} from './members.ts'
export { Nesting } from './nest.ts'
export { project } from './project.ts'
export { toRaw } from './raw.ts'
export { noteUnknown } from './unknown-fields.ts'
