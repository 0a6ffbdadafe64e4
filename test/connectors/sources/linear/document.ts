import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { ParsedQuery, Selection } from './query.ts'

/** Field names of a GraphQL type or input with the types they have, without their `Maybe` and `Array`. */
type Fields = Map<string, string>

const FOLDER = join(
  dirname(createRequire(import.meta.url).resolve('@linear/sdk/package.json')),
  'dist',
)

/** Linear's own GraphQL schema, in the form of the types that its SDK was generated with. */
const TYPES = readTypes()

/**
 * Where a query asks for something that Linear's schema does not have: connections, arguments and
 * their types, fields to any depth, and fields without which an object cannot be asked for.
 */
export function queryProblems({ connection, args, variables, nodes }: ParsedQuery): string[] {
  const answer = TYPES.get('Query')?.get(connection)
  const node = TYPES.get(answer ?? '')?.get('nodes')
  if (!node) return [`there is no connection ${connection}`]
  const known = TYPES.get(`Query${upperFirst(connection)}Args`) ?? new Map()
  return [
    ...Object.entries(args).flatMap(([name, given]) => {
      const type = known.get(name)
      if (!type) return [`${connection} takes no ${name}`]
      const declared = variables[given]?.replace('!', '')
      return given.startsWith('$') && declared !== type
        ? [`${connection} takes ${name} as ${type}, not as ${declared}`]
        : []
    }),
    ...selectionProblems(node, nodes),
  ]
}

/** Where a filter asks for something that Linear's schema does not have. */
export function filterProblems(type: string, filter: unknown): string[] {
  const fields = TYPES.get(type)
  if (!fields) return typeof filter === 'object' ? [`${type} has no fields`] : []
  return Object.entries((filter ?? {}) as object).flatMap(([name, value]) => {
    const inner = fields.get(name)
    return inner ? filterProblems(inner, value) : [`${type} has no ${name}`]
  })
}

function selectionProblems(type: string, selection: Selection): string[] {
  return [...selection].flatMap(([name, inner]) => {
    const field = TYPES.get(type)?.get(name)
    if (!field) return [`${type} has no ${name}`]
    const isObject = TYPES.has(field)
    if (isObject !== inner.size > 0) {
      return [`${type}.${name} is ${isObject ? 'an object' : 'no object'}`]
    }
    return selectionProblems(field, inner)
  })
}

function readTypes(): Map<string, Fields> {
  const texts = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.d.mts'))
    .map((name) => readFileSync(join(FOLDER, name), 'utf8'))
  const text = texts.find((candidate) => candidate.includes('\ntype Query = {')) ?? ''
  const types = new Map<string, Fields>()
  for (const [, name = '', body = ''] of text.matchAll(
    /^type (\w+) = (?:\w+ & )*\{\n(.*?)^\};/gms,
  )) {
    const fields: Fields = new Map()
    for (const [, field = '', type = ''] of body.matchAll(/^ {2}(\w+)\??: (.*);$/gm)) {
      fields.set(field, bare(type))
    }
    types.set(name, fields)
  }
  return types
}

/** `Maybe<Array<Scalars["String"]>>` is `String`. */
function bare(type: string): string {
  const [, inner] = /^(?:Maybe|InputMaybe|Array)<(.*)>$/.exec(type) ?? []
  if (inner !== undefined) return bare(inner)
  return /^Scalars\["(\w+)"\]$/.exec(type)?.[1] ?? type
}

const upperFirst = (name: string) => name.charAt(0).toUpperCase() + name.slice(1)
