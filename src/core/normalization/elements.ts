/** Planning the tables that arrays become: which there are, their names and their columns. */
import {
  airbyteTypeOf,
  type Column,
  type ElementTable,
  type JsonSchema,
} from '../../protocol/index.ts'
import type { ChildTable } from '../../runtime/contract.ts'
import { shortHash } from '../../runtime/loading/names.ts'
import { flatColumns } from './members.ts'

const UUID = {
  type: 'string',
  nullable: false,
  native: { dialect: 'postgres', type: 'uuid' },
} as const

/** The first columns of every child table: the row that has the array, the stream's row, the place. */
export const LINKS: Column[] = [
  { name: '_airbyte_parent_id', ...UUID },
  { name: '_airbyte_root_id', ...UUID },
  { name: '_airbyte_index', type: 'integer', nullable: false },
]

export const LINK_NAMES: ReadonlySet<string> = new Set(LINKS.map(({ name }) => name))

/**
 * What the column of an element's field is called: as the field, unless that is the name of a link. The
 * suffix follows from the name alone, so it stays whatever comes beside it.
 */
export const elementName = (field: string): string =>
  LINK_NAMES.has(field) ? `${field}_${shortHash(JSON.stringify([field]))}` : field

/** Whether a path (`items[]._airbyte_index`) is, or is within, a field that is called as a link is. */
export const isCalledAsLink = (path: string): boolean => CALLED_AS_LINK.test(path)
const CALLED_AS_LINK = new RegExp(`\\[\\]\\.(${[...LINK_NAMES].join('|')})(\\.|\\[|$)`)

/** What an array column's schema declares of its elements; undefined: nothing that makes a table. */
export function elementsOfArray(
  { items }: JsonSchema,
  columnsOf: (fields: JsonSchema) => Column[],
): Pick<ElementTable, 'columns' | 'scalar'> | undefined {
  if (typeof items !== 'object' || items === null || Array.isArray(items)) return undefined
  const type = airbyteTypeOf(items as JsonSchema)
  if (type === 'unknown') return undefined
  if (type !== 'object') {
    return { columns: columnsOf({ properties: { value: items as JsonSchema } }), scalar: true }
  }
  const columns = columnsOf(items as JsonSchema)
  return columns.length > 0 ? { columns } : undefined
}

/**
 * The same columns with a name for each table of elements: that of the table which has the array and
 * the array's path. One that is known keeps its name; where two would have one, or one that `taken`
 * has, the name gets a hash of the path behind it.
 */
export function withTables(
  columns: Column[],
  stem: string,
  { separator }: { separator: string },
  taken: ReadonlySet<string>,
  renamed: Record<string, string> = {},
): Column[] {
  const own = new Set(taken)
  for (const { table } of tablesIn(columns)) if (table !== '') own.add(table)
  const named = <C extends Column>(column: C, path: string[], above: string): C => {
    const { elements } = column
    if (!elements) return column
    const wanted = [above, ...path].join(separator)
    const free = own.has(wanted)
      ? `${wanted}${separator}${shortHash(JSON.stringify(path))}`
      : wanted
    const table = elements.table || free
    own.add(table)
    return { ...column, elements: { ...elements, table, columns: all(elements.columns, table) } }
  }
  const all = (some: Column[], above: string, names: Record<string, string> = {}): Column[] =>
    some.map((column) => {
      const { members } = column
      const name = Object.hasOwn(names, column.name) ? (names[column.name] as string) : column.name
      if (!members) return named(column, [name], above)
      return {
        ...column,
        members: members.map((member) => named(member, [name, ...member.path], above)),
      }
    })
  return all(columns, stem, renamed)
}

/** Every table of elements among columns, members and elements. */
export function tablesIn(columns: Column[]): ElementTable[] {
  return flatColumns(columns).flatMap(({ elements }) =>
    elements ? [elements, ...tablesIn(elements.columns)] : [],
  )
}

/** The columns of a table: in the place of an array that has a table stands how many elements it has. */
export const tableColumns = (columns: Column[]): Column[] =>
  flatColumns(columns).map(({ elements, ...column }) =>
    elements ? { name: elements.count, type: 'integer' } : column,
  )

const elementColumns = (columns: Column[]): Column[] =>
  tableColumns(columns).map((column) => ({ ...column, name: elementName(column.name) }))

/** The tables of the arrays, each after the one it hangs on. */
export function childTables(columns: Column[], prefix: string): ChildTable[] {
  const tables: ChildTable[] = []
  const add = (some: Column[], above: string[], parent?: number) => {
    for (const { name, path, elements } of arraysOf(some)) {
      if (!elements) continue
      const own = [...above, ...(path ?? [name])]
      const index = tables.length
      tables.push({
        path: own,
        ...(parent === undefined ? {} : { parent }),
        table: `${prefix}${elements.table}`,
        count: elements.count,
        columns: [...LINKS, ...elementColumns(elements.columns)],
      })
      add(elements.columns, own, index)
    }
  }
  add(columns, [])
  return tables
}

/** Arrays among columns and their members, with where they are. */
const arraysOf = (columns: Column[]): (Column & { path?: string[] })[] =>
  columns.flatMap(({ members, ...column }) =>
    members
      ? members.map((member) => ({ ...member, path: [column.name, ...member.path] }))
      : [column],
  )
