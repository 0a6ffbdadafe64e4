import { createHash } from 'node:crypto'
import {
  type Cell,
  type Column,
  columnsOf,
  type JsonSchema,
  type RecordBatch,
  type RecordChange,
} from '../../protocol/index.ts'
import { jsonCell } from '../../runtime/formats/json-cell.ts'
import { membersOf } from '../../runtime/formats/jsonl-read.ts'

export interface FlattenOptions {
  /** How many objects deep columns are made of members; what lies deeper stays JSON. */
  depth: number
  /** Between the names of an object and its member. */
  separator: string
}

export const FLATTEN_DEFAULTS: FlattenOptions = { depth: 10, separator: '_' }

/**
 * The columns with the members that each object column is to become. Only what the schema declares
 * becomes a column: an object without declared properties stays JSON. Names do not depend on the order
 * of the schema, and a member keeps the name that it has in `known`, whatever comes beside it later.
 *
 * @param renamed names of columns that a mapping changes
 */
export function withMembers(
  columns: Column[],
  { properties }: JsonSchema,
  { depth, separator }: FlattenOptions,
  known: Column[],
  renamed: Record<string, string> = {},
): Column[] {
  const schemas = (properties ?? {}) as Record<string, JsonSchema>
  const nameOf = (name: string) => (Object.hasOwn(renamed, name) ? renamed[name] : name) as string
  const found = columns.map((column) => ({
    column,
    members: column.type === 'object' ? membersIn(schemas[column.name] ?? {}, depth) : [],
  }))
  const taken = new Set(
    found.filter(({ members }) => members.length === 0).map(({ column }) => nameOf(column.name)),
  )
  const before = new Map(
    known.flatMap(({ name: top, members = [] }) =>
      members.map(({ path, name }) => [JSON.stringify([nameOf(top), ...path]), name] as const),
    ),
  )
  const wanted = found
    .flatMap(({ column, members }) =>
      members.map(({ path }) => {
        const whole = [nameOf(column.name), ...path]
        return { key: JSON.stringify(whole), name: whole.join(separator) }
      }),
    )
    .sort(
      (a, b) => Number(before.has(b.key)) - Number(before.has(a.key)) || (a.key < b.key ? -1 : 1),
    )
  const names = new Map<string, string>()
  for (const { key, name } of wanted) {
    const own = before.get(key) ?? name
    const free = taken.has(own) ? `${name}${separator}${shortHash(key)}` : own
    taken.add(free)
    names.set(key, free)
  }
  return found.map(({ column, members }) => {
    if (members.length === 0) return column
    const key = (path: string[]) => JSON.stringify([nameOf(column.name), ...path])
    return {
      ...column,
      members: members.map((member) => ({
        ...member,
        name: names.get(key(member.path)) as string,
      })),
    }
  })
}

function membersIn(schema: JsonSchema, depth: number): NonNullable<Column['members']> {
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>
  return columnsOf(schema).flatMap(({ nullable: _, ...column }) => {
    const inner =
      column.type === 'object' && depth > 1
        ? membersIn(properties[column.name] as JsonSchema, depth - 1)
        : []
    if (inner.length === 0) return [{ ...column, path: [column.name] }]
    return inner.map((member) => ({ ...member, path: [column.name, ...member.path] }))
  })
}

const shortHash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8)

/** The columns that the destination gets. */
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

export interface Flattened {
  batch: RecordBatch
  /** Members that the schema does not declare: they are left out. */
  unknownFields: string[]
}

/**
 * Object columns as columns of their members. No member of the cells is parsed beyond its text, so
 * numbers keep every digit; whether a value fits its column is for `coerceToLimits` to say.
 */
export function flatten(batch: RecordBatch): Flattened {
  const unknown = new Set<string>()
  const changes: RecordChange[] = []
  const columns = batch.schema.flatMap(({ name, members }, index): Cell[][] => {
    const cells = batch.columns[index] ?? []
    if (!members) return [cells]
    const tree = treeOf(members)
    const flat = members.map(() => new Array<Cell>(batch.length).fill(null))
    const own = batch.changes?.filter(({ field }) => field === name) ?? []
    for (const change of own)
      for (const member of members) changes.push({ ...change, field: member.name })
    let row = 0
    const sink: Sink = {
      set(at, text) {
        const member = members[at]
        if (member) (flat[at] as Cell[])[row] = jsonCell(member, text)
      },
      misfit(at) {
        const field = members[at]?.name ?? name
        changes.push({ row, field, change: 'NULLED', reason: 'DESTINATION_TYPECAST_ERROR' })
      },
      unknown: (path) => unknown.add(path),
    }
    for (; row < batch.length; row++) {
      const cell = cells[row]
      if (typeof cell === 'string') fill(tree, cell, name, sink)
    }
    return flat
  })
  const flattened = new Set(batch.schema.flatMap(({ name, members }) => (members ? [name] : [])))
  const kept = batch.changes?.filter(({ field }) => !flattened.has(field)) ?? []
  const { jsonIsSound: _, changes: __, ...rest } = batch
  return {
    batch: {
      ...rest,
      schema: flatColumns(batch.schema),
      columns,
      ...(kept.length + changes.length > 0 ? { changes: [...kept, ...changes] } : {}),
    },
    unknownFields: [...unknown],
  }
}

/** Members by name: a place among the columns, or more members. */
type Tree = Map<string, number | Tree>

function treeOf(members: NonNullable<Column['members']>): Tree {
  const root: Tree = new Map()
  for (const [at, { path }] of members.entries()) {
    let node = root
    for (const name of path.slice(0, -1)) {
      const next = node.get(name) ?? new Map()
      node.set(name, next)
      node = next as Tree
    }
    node.set(path.at(-1) as string, at)
  }
  return root
}

interface Sink {
  set(at: number, text: string): void
  misfit(at: number): void
  unknown(path: string): void
}

function fill(tree: Tree, text: string, path: string, sink: Sink): void {
  for (const [name, value] of membersOf(text)) {
    const node = tree.get(name)
    if (node === undefined) sink.unknown(`${path}.${name}`)
    else if (typeof node === 'number') sink.set(node, value)
    else if (value.startsWith('{')) fill(node, value, `${path}.${name}`, sink)
    else if (value !== 'null') for (const at of leaves(node)) sink.misfit(at)
  }
}

const leaves = (tree: Tree): number[] =>
  [...tree.values()].flatMap((node) => (typeof node === 'number' ? [node] : leaves(node)))
