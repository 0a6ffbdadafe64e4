import type { Kwargs, Value } from '../python/values.ts'
import { ENCODING_FILTERS } from './filters-encoding.ts'
import { NUMBER_FILTERS } from './filters-numbers.ts'
import { SEQUENCE_FILTERS } from './filters-sequences.ts'
import { TEXT_FILTERS } from './filters-text.ts'

/** A filter: `value | name(args)`. */
export type Filter = (value: Value, args: readonly Value[], kwargs: Kwargs) => Value
export type Filters = Readonly<Record<string, Filter>>

/** Jinja's own filters and the eight that the low-code language adds. */
export const filters: Filters = {
  ...TEXT_FILTERS,
  ...NUMBER_FILTERS,
  ...SEQUENCE_FILTERS,
  ...ENCODING_FILTERS,
}
