import type { Column } from '../../protocol/index.ts'
import { tablesIn } from './elements.ts'

type Member = NonNullable<Column['members']>[number]

interface Kept {
  columns: Column[]
  /** What was left out, called by its path: `ship.city`, `items[].sku`. */
  ignored: Column[]
}

/**
 * Columns that are taken apart, without what is new in objects and arrays. What was never taken apart
 * stays JSON, unless nothing was: then the stream is flattened or nested only from now on.
 *
 * @param known as they were, and what was left out then is not in them
 * @param always paths that the stream cannot be without
 */
export function withoutNew(columns: Column[], known: Column[], always: string[][]): Kept {
  const ignored: Column[] = []
  const wasNested = tablesIn(known).length > 0
  const wasFlattened = [known, ...tablesIn(known).map((table) => table.columns)].some((some) =>
    some.some(({ members }) => members),
  )
  const wanted = new Set(always.map(keyOf))

  function leaveOut(path: string, { members, elements, ...column }: Column): void {
    const inner = members
      ? members.map(({ path: within, ...member }) => ({
          ...member,
          name: `${path}.${within.join('.')}`,
        }))
      : elements?.columns.map((element) => ({
          ...element,
          name: elements.scalar ? `${path}[]` : `${path}[].${element.name}`,
        }))
    if (inner) for (const each of inner) leaveOut(each.name, each)
    else ignored.push({ ...column, name: path })
  }

  function withKnownElements<C extends Column>(column: C, past: Column, path: string): C {
    const { elements, ...json } = column
    if (!elements || (!past.elements && !wasNested)) return column
    if (!past.elements) {
      leaveOut(path, column)
      return json as C
    }
    const before = past.elements.columns
    const kept = elements.columns.flatMap((element) => {
      const own = elements.scalar ? `${path}[]` : `${path}[].${element.name}`
      const there = before.find(({ name }) => name === element.name)
      if (there) return [withKnownFields(element, there, own)]
      leaveOut(own, element)
      return []
    })
    return { ...column, elements: { ...elements, columns: kept } }
  }

  function withKnownFields(column: Column, past: Column, path: string): Column {
    const { members, ...json } = column
    if (!members) return withKnownElements(column, past, path)
    if (!past.members) {
      if (!wasFlattened) return column
      leaveOut(path, column)
      return json
    }
    const before = new Map(past.members.map((member) => [keyOf(member.path), member]))
    const kept = members.flatMap((member): Member[] => {
      const own = `${path}.${member.path.join('.')}`
      const there = before.get(keyOf(member.path))
      if (there) return [withKnownElements(member, there, own)]
      if (wanted.has(keyOf([column.name, ...member.path]))) return [member]
      leaveOut(own, member)
      return []
    })
    return { ...column, members: kept }
  }

  const kept = columns.map((column) => {
    const past = known.find(({ name }) => name === column.name)
    return past ? withKnownFields(column, past, column.name) : column
  })
  return { columns: kept, ignored }
}

const keyOf = (path: string[]) => JSON.stringify(path)
