import type { Value } from '../python/values.ts'

/** What sorting and grouping compare: text without regard to case, unless it matters. */
export const foldCase = (value: Value, caseSensitive: boolean): Value =>
  typeof value === 'string' && !caseSensitive ? value.toLowerCase() : value
