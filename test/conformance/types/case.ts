/** A declaration, then values of it in the server's SQL. */
export type TypeCase = [declared: string, ...values: string[]]

/** Where values are sent. */
export type EndName = 'postgres' | 'mysql' | 'Parquet' | 'JSONL' | 'CSV'

/** The n-th value of every type as `[column, SQL]`; the last row has none: all its cells are null. */
export function rowsOf(cases: TypeCase[]): [column: number, sql: string][][] {
  const most = Math.max(...cases.map(([, ...values]) => values.length))
  return Array.from({ length: most + 1 }, (_, row) =>
    cases.flatMap(([, ...values], c): [number, string][] =>
      values[row] === undefined ? [] : [[c, values[row]]],
    ),
  )
}
