/** A name in a statement: two groups, of which one has it. */
export const NAME = '(?:`((?:[^`]|``)+)`|([\\w$\\u0080-\\uffff]+))'
/** A table's name, with its database's or without: four groups, see `tableIn`. */
export const TABLE = `${NAME}(?:\\s*\\.\\s*${NAME})?`

/** The table that the groups from `at` on have. */
export function tableIn(match: RegExpExecArray | RegExpMatchArray, at: number, database: string) {
  const nameOf = (group: number) => match[group]?.replaceAll('``', '`') ?? match[group + 1]
  const [first = '', second] = [nameOf(at), nameOf(at + 2)]
  return second === undefined ? { schema: database, name: first } : { schema: first, name: second }
}
