import type { Cell, Column, RecordBatch, RecordChange } from '../../protocol/index.ts'
import { jsonCell } from '../../runtime/formats/json-cell.ts'
import { membersOf } from '../../runtime/formats/jsonl-read.ts'
import { flatColumns } from './members.ts'
import { noteUnknown } from './unknown-fields.ts'

export interface Flattened {
  batch: RecordBatch
  /** Members that the schema does not declare: they are left out. The first hundred. */
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
      unknown: (path) => noteUnknown(unknown, path),
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
