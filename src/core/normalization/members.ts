import { type Column, columnsOf, type JsonSchema } from '../../protocol/index.ts'
import { shortHash } from '../../runtime/loading/names.ts'
import { elementsOfArray, LINK_NAMES } from './elements.ts'

export interface FlattenOptions {
  /** How many objects deep columns are made of members; what lies deeper stays JSON. */
  depth: number
  /** Between the names of an object and its member. */
  separator: string
}

export const FLATTEN_DEFAULTS: FlattenOptions = { depth: 10, separator: '_' }

export interface ExpandOptions extends FlattenOptions {
  /** Arrays become tables of their elements. */
  arrays?: boolean
  /** Names that members cannot have: the table has columns of its own. */
  reserved?: ReadonlySet<string>
}

/**
 * The columns with the members that each object column is to become, and the tables of elements that
 * arrays are to become. Only what the schema declares becomes a column: an object without declared
 * properties stays JSON. Names do not depend on the order of the schema, and a member keeps the name
 * that it has in `known`, whatever comes beside it later. Tables have no names yet.
 *
 * @param renamed names of columns that a mapping changes
 */
export function withMembers(
  columns: Column[],
  { properties }: JsonSchema,
  options: ExpandOptions,
  known: Column[],
  renamed: Record<string, string> = {},
): Column[] {
  const schemas = (properties ?? {}) as Record<string, JsonSchema>
  const nameOf = (name: string) => (Object.hasOwn(renamed, name) ? renamed[name] : name) as string
  const before = new Map(known.map((column) => [nameOf(column.name), column]))
  const found = columns.map((column) => {
    const schema = schemas[column.name] ?? {}
    const past = before.get(nameOf(column.name))
    const isObject = column.type === 'object'
    return {
      column: withElements(column, schema, options, past),
      members: isObject ? membersIn(schema, options, options.depth, past?.members) : [],
    }
  })
  const leaves = found.map(({ column, members }) => {
    const top = nameOf(column.name)
    return members.length > 0
      ? members.map((member) => leafOf([top, ...member.path], member, options))
      : [leafOf([top], column, options)]
  })
  const names = distinctNames(leaves.flat(), knownNames(known, nameOf), options)
  return found.map(({ column, members }, i) => {
    const own = (leaves[i] ?? []).map(({ key }) => names.get(key) ?? '')
    if (members.length === 0) return counted(column, own[0])
    return {
      ...column,
      members: members.map((member, at) => {
        const name = own[at] ?? member.name
        return member.elements ? counted(member, name) : { ...member, name }
      }),
    }
  })
}

type Member = NonNullable<Column['members']>[number]
type Leaf = Pick<Column, 'name' | 'type' | 'elements'>

function membersIn(
  schema: JsonSchema,
  options: ExpandOptions,
  depth: number,
  known: Member[] = [],
  above: string[] = [],
): Member[] {
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>
  return columnsOf(schema).flatMap(({ nullable: _, ...column }): Member[] => {
    const own = properties[column.name] as JsonSchema
    const path = [...above, column.name]
    const inner =
      column.type === 'object' && depth > 1 ? membersIn(own, options, depth - 1, known, path) : []
    if (inner.length > 0) return inner
    const past = known.find((member) => keyOf(member.path) === keyOf(path))
    return [{ ...withElements(column, own, options, past), path }]
  })
}

/** The column with the table that its elements become, if it is an array that declares them. */
function withElements<C extends Column>(
  column: C,
  schema: JsonSchema,
  options: ExpandOptions,
  past: Leaf | undefined,
): C {
  // A database's own array can be had as such at the other side.
  if (!options.arrays || column.type !== 'array' || column.native) return column
  const known = past?.elements
  const elements = elementsOfArray(schema, (fields) => {
    const columns = columnsOf(fields).map(({ nullable: _, ...field }) => field)
    const own = { ...options, reserved: LINK_NAMES }
    return withMembers(columns, fields, own, known?.columns ?? [])
  })
  return elements
    ? { ...column, elements: { table: known?.table ?? '', count: '', ...elements } }
    : column
}

function counted<C extends Column>(column: C, count = ''): C {
  return column.elements ? { ...column, elements: { ...column.elements, count } } : column
}

const keyOf = (path: string[], isCount = false) => JSON.stringify(isCount ? [path] : path)

/** A column to come, and the name that it would have. */
interface Wanted {
  key: string
  name: string
  /** A column of the record itself, which keeps its name. */
  fixed: boolean
}

function leafOf(path: string[], { elements }: Leaf, { separator }: ExpandOptions): Wanted {
  const isCount = elements !== undefined
  const name = (isCount ? [...path, 'count'] : path).join(separator)
  return { key: keyOf(path, isCount), name, fixed: path.length === 1 && !isCount }
}

/** By what is read, the names that there were. */
function knownNames(known: Column[], nameOf: (name: string) => string): Map<string, string> {
  const entry = (path: string[], { name, elements }: Leaf) =>
    [keyOf(path, elements !== undefined), elements ? elements.count : name] as const
  return new Map(
    known.flatMap((column) => {
      const top = nameOf(column.name)
      if (!column.members) return column.elements ? [entry([top], column)] : []
      return column.members.map((member) => entry([top, ...member.path], member))
    }),
  )
}

/** Of two that want one name, one that had it keeps it; else the order of their paths decides. */
function distinctNames(
  wanted: Wanted[],
  before: Map<string, string>,
  { separator, reserved = new Set() }: ExpandOptions,
): Map<string, string> {
  const own = wanted.filter(({ fixed }) => fixed).map(({ name }) => name)
  const taken = new Set([...reserved, ...own])
  const names = new Map<string, string>()
  const sorted = wanted
    .filter(({ fixed }) => !fixed)
    .sort(
      (a, b) => Number(before.has(b.key)) - Number(before.has(a.key)) || (a.key < b.key ? -1 : 1),
    )
  for (const { key, name } of sorted) {
    const known = before.get(key) ?? name
    const free = taken.has(known) ? `${name}${separator}${shortHash(key)}` : known
    taken.add(free)
    names.set(key, free)
  }
  return names
}

/** The columns with members in the place of objects; arrays are arrays still. */
export const flatColumns = (columns: Column[]): Column[] =>
  columns.flatMap((column): Column[] =>
    column.members ? column.members.map(({ path: _, ...member }) => member) : [column],
  )

/** The path to a key or cursor as the destination knows it. */
export function flatPath([top, ...rest]: string[], columns: Column[]): string[] {
  if (top === undefined) return []
  const column = columns.find(({ name }) => name === top)
  const member = column?.members?.find(({ path }) => path.join('\0') === rest.join('\0'))
  return member ? [member.name] : [top, ...rest]
}
