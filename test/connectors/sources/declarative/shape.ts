/** The shape of a JSON value as a vendor's document gives it. */
export type Shape =
  | { kind: 'object'; fields: Map<string, Field>; others?: Shape }
  | { kind: 'array'; items: Shape }
  | { kind: 'union'; of: Shape[] }
  | { kind: 'intersection'; of: Shape[] }
  | { kind: 'literal'; value: string | number | boolean | null }
  | { kind: 'string' | 'number' | 'boolean' | 'any' | 'never' }
  /** Looked up when it is needed: documents refer to themselves. */
  | { kind: 'reference'; path: string[] }

export interface Field {
  required: boolean
  shape: Shape
  /** `date-time`, `uri` … */
  format?: string
}

/** Finds what a reference leads to. */
export type Resolve = (shape: Shape) => Shape

/** Where a value departs from its shape: unknown fields, missing ones, other types. */
export function problemsOf(shape: Shape, value: unknown, resolve: Resolve, path = ''): string[] {
  const known = flat(shape, resolve)
  switch (known.kind) {
    case 'any':
    case 'reference':
    case 'intersection':
      return []
    case 'never':
      return [`${path} must not be there`]
    case 'literal':
      return value === known.value ? [] : [`${path} is not ${JSON.stringify(known.value)}`]
    case 'union':
      return best(known.of.map((branch) => problemsOf(branch, value, resolve, path)))
    case 'array':
      return Array.isArray(value)
        ? value.flatMap((item) => problemsOf(known.items, item, resolve, `${path}[]`))
        : [`${path} is not an array`]
    case 'object':
      return objectProblems(known, value, resolve, path)
    default:
      return typeof value === known.kind ? [] : [`${path} is not a ${known.kind}`]
  }
}

function objectProblems(
  { fields, others }: Extract<Shape, { kind: 'object' }>,
  value: unknown,
  resolve: Resolve,
  path: string,
): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [`${path} is not an object`]
  }
  const inner = (name: string) => (path ? `${path}.${name}` : name)
  const missing = [...fields].flatMap(([name, { required }]) =>
    required && !(name in value) ? [`${inner(name)} is missing`] : [],
  )
  const wrong = Object.entries(value).flatMap(([name, item]) => {
    const shape = fields.get(name)?.shape ?? others
    return shape ? problemsOf(shape, item, resolve, inner(name)) : [`${inner(name)} is not known`]
  })
  return [...missing, ...wrong]
}

/** A value must fit one branch: what is wrong with the one that it fits best. */
const best = (all: string[][]): string[] =>
  all.reduce((least, problems) => (problems.length < least.length ? problems : least))

/** References followed, intersections of objects merged. */
export function flat(shape: Shape, resolve: Resolve): Shape {
  if (shape.kind === 'reference') return flat(resolve(shape), resolve)
  if (shape.kind !== 'intersection') return shape
  const parts = shape.of.map((part) => flat(part, resolve))
  const objects = parts.filter((part) => part.kind === 'object')
  if (objects.length < parts.length) return { kind: 'any' }
  return { kind: 'object', fields: new Map(objects.flatMap(({ fields }) => [...fields])) }
}
