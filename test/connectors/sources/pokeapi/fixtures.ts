import { PARTS, RESOURCES } from './resources.ts'

type Row = Record<string, unknown>

/** A synthetic resource; names and numbers are made up, the same in every run. */
export function resourceOf(stream: string, id: number): Row {
  const [resource = '', ...fields] = RESOURCES[stream] ?? []
  return { id, ...objectOf(fields.join(' '), resource, id) }
}

function objectOf(fields: string, resource: string, n: number): Row {
  return Object.fromEntries(
    fields.split(' ').map((field) => {
      const [name = '', kind = ''] = field.split(':')
      const value = name === 'name' && kind === 'text' ? `${resource}-${n}` : cellOf(kind, name, n)
      return [name, value]
    }),
  )
}

function cellOf(kind: string, name: string, n: number): unknown {
  if (kind.endsWith('?')) return n % 2 === 0 ? null : cellOf(kind.slice(0, -1), name, n)
  if (kind.endsWith('[]')) return [cellOf(kind.slice(0, -2), name, n)]
  switch (kind) {
    case 'text':
      return `${name} ${n}`
    case 'number':
      return n
    case 'flag':
      return n % 2 === 0
    case 'object':
      return { name }
    case 'list':
      return []
    case 'address':
      return { url: `https://pokeapi.co/api/v2/${name}/${n}/` }
    case 'named':
      return { name: `${name}-${n}`, url: `https://pokeapi.co/api/v2/${name}/${n}/` }
    default:
      return objectOf(PARTS[kind] ?? missing(kind), name, n)
  }
}

const missing = (kind: string): never => {
  throw new Error(`no part is called ${kind}`)
}
