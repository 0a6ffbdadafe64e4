import { type Field, flat, type Resolve, type Shape } from './shape.ts'
import { digest, hour } from './synthetic.ts'

/**
 * A synthetic value of a shape, the same for the same `n`. Even ones are full: each optional field
 * is there and nothing is null. Odd ones are bare: what may be missing is missing, what may be null
 * is null.
 */
export function sampleOf(shape: Shape, n: number, resolve: Resolve): unknown {
  return sample(shape, { n, isBare: n % 2 === 1, resolve, open: [] }, { required: true, shape })
}

interface Context {
  n: number
  isBare: boolean
  resolve: Resolve
  /** Names of the references that lead here, so that an endless document comes to an end. */
  open: string[]
}

function sample(shape: Shape, context: Context, field: Field, name = ''): unknown {
  if (shape.kind === 'reference') {
    const key = shape.path.join('/')
    return context.open.includes(key)
      ? STOP
      : sample(context.resolve(shape), { ...context, open: [...context.open, key] }, field, name)
  }
  const known = flat(shape, context.resolve)
  switch (known.kind) {
    case 'object':
      return objectSample(known, context)
    case 'array': {
      const item = sample(known.items, context, field, name)
      return item === STOP || context.isBare ? [] : [item]
    }
    case 'union': {
      const values = known.of.map((branch) => sample(branch, context, field, name))
      const nothing = values.find((value) => value === null)
      if (context.isBare && nothing === null) return null
      return values.find((value) => value !== null && value !== STOP) ?? null
    }
    case 'literal':
      return known.value
    case 'string':
      return text(name, field.format, context.n)
    case 'number':
      return 1000 + context.n
    case 'boolean':
      return context.n % 3 === 0
    default:
      return {}
  }
}

const STOP = Symbol('a document that leads back into itself')

function objectSample({ fields }: Extract<Shape, { kind: 'object' }>, context: Context): unknown {
  const entries = [...fields].flatMap(([name, field]): [string, unknown][] => {
    if (context.isBare && !field.required) return []
    const value = sample(field.shape, context, field, name)
    if (value !== STOP) return [[name, value]]
    return field.required ? [[name, null]] : []
  })
  return Object.fromEntries(entries)
}

function text(name: string, format: string | undefined, n: number): string {
  if (format === 'date-time' || /_at$/.test(name)) return hour(n)
  if (format === 'date') return hour(n).slice(0, 10)
  if (format === 'uri' || /url$/.test(name)) return `https://example.test/${name}/${n}`
  if (format === 'email') return `person-${n}@example.test`
  if (/sha$/.test(name)) return digest(`${name} ${n}`)
  return `${name || 'text'} ${n}`
}
