export { CaseInsensitiveMap } from './case-insensitive-map.ts'
export type { Context } from './frame.ts'
export {
  type InterpolateOptions,
  interpolateBoolean,
  interpolateMapping,
  interpolateNested,
  interpolateString,
  type ValidType,
} from './interpolate.ts'
export { StreamSlice } from './stream-slice.ts'
export { compileTemplate } from './template.ts'
