import type { Column } from '../../protocol/index.ts'

/** A column, or what an object or array of it is taken apart into, by its path: `ship.city`, `items[].sku`. */
export function fieldsIn(column: Column, above = ''): Column[] {
  const own = `${above}${column.name}`
  const { members, elements } = column
  if (members)
    return members.flatMap(({ path, ...member }) =>
      fieldsIn({ ...member, name: path.join('.') }, `${own}.`),
    )
  if (elements)
    return elements.columns.flatMap((element) =>
      fieldsIn(element, elements.scalar ? `${own}[]` : `${own}[].`),
    )
  return [{ ...column, name: own }]
}

/** As its database calls it, where there is one. */
export const typeName = ({ type, native }: Column): string => native?.type ?? type

export interface Retyped {
  name: string
  from: string
  to: string
}

/** Fields that are of another type than before; none of which an earlier version kept no type. */
export function retypedFields(before: Column[], now: Column[]): Retyped[] {
  const after = new Map(now.map((field) => [field.name, field]))
  return before.flatMap((field) => {
    const other = after.get(field.name)
    if (!other) return []
    const isNative = field.native !== undefined && other.native !== undefined
    const of = (column: Column) => (isNative ? typeName(column) : column.type)
    const [from, to] = [of(field), of(other)]
    return from === undefined || from === to ? [] : [{ name: field.name, from, to }]
  })
}
