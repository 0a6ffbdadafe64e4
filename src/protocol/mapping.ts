/** What happens to a stream's rows and columns on their way: filtered, then hashed, then renamed. */
export type StreamMapping = {
  /** Rows for which it does not hold are left out. */
  filter?: RowCondition
  /** Columns whose values are replaced by a salted SHA-256, as 64 hexadecimal digits. Null stays null. */
  hash?: string[]
  /** New names of columns by their names at the source. */
  rename?: Record<string, string>
}

export type Literal = string | number | boolean

/**
 * A condition on one row. Null fulfils no comparison, as in SQL; numbers compare by value with
 * every digit, timestamps by their instant.
 *
 * @example { all: [{ field: 'country', op: 'in', value: ['DE', 'FR'] }, { field: 'email', op: 'not_null' }] }
 */
export type RowCondition =
  | { field: string; op: 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte'; value: Literal }
  | { field: string; op: 'in'; value: Literal[] }
  | { field: string; op: 'is_null' | 'not_null' }
  | { all: RowCondition[] }
  | { any: RowCondition[] }
  | { not: RowCondition }
