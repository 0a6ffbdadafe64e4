import { nearest } from '../../../core/nearest.ts'
import type { JsonObject } from '../../../protocol/index.ts'
import { LANGUAGE } from './language/index.ts'
import { type Fields, inspect, needed, type Visitor, word } from './language/kinds.ts'

/** What is wrong with a node of a manifest. */
export interface Problem {
  path: string
  message: string
}

export interface Findings {
  /** What cannot run as it is written. */
  problems: Problem[]
  /** Fields without a meaning: a word misspelt, or of another language. */
  unknown: Problem[]
}

/**
 * Looks at each node of a manifest whose references are resolved: that its type is known and may
 * stand there, that its fields are there and of the right form. Custom classes take what they like.
 */
export function validateManifest(root: JsonObject): Findings {
  const problems: Problem[] = []
  const unknown: Problem[] = []
  visitComponents(root, '', ['DeclarativeSource'], {
    wrong: (path, message) => problems.push({ path, message }),
    meaningless: (path, name, type) => {
      const found = { path, message: noField(name, type) }
      ;(CLOSED.has(type) ? problems : unknown).push(found)
    },
  })
  return { problems, unknown }
}

interface Hooks extends Omit<Visitor, 'component'> {
  meaningless?(path: string, name: string, type: string): void
}

/** Calls the hooks for a component of one of these types, and for all that are in it. */
export function visitComponents(
  root: JsonObject,
  path: string,
  types: readonly string[],
  hooks: Hooks,
): void {
  const visit: Visitor = {
    ...hooks,
    component(node, at, expected) {
      const type = typeOf(node, expected)
      if (type === undefined) return hooks.wrong(at, misplaced(node.type, expected))
      const isCustom = type.startsWith('Custom')
      const fields = isCustom ? CUSTOM : (LANGUAGE[type] as Fields)
      for (const [name, wanted] of Object.entries(fields)) {
        const [kind, isNeeded] = 'needed' in wanted ? [wanted.needed, true] : [wanted, false]
        const value = Object.hasOwn(node, name) ? node[name] : undefined
        if (value !== undefined && value !== null) inspect(kind, value, fieldOf(at, name), visit)
        else if (isNeeded) hooks.wrong(fieldOf(at, name), `${type} needs this field.`)
      }
      for (const name of isCustom ? [] : Object.keys(node)) {
        if (!isKnown(name, node, fields)) hooks.meaningless?.(fieldOf(at, name), name, type)
      }
    },
  }
  visit.component(root, path, types)
}

const CUSTOM: Fields = { class_name: needed(word) }

/** Types that take no field that they do not know. */
const CLOSED = new Set([
  'DeclarativeSource',
  'ConfigNormalizationRules',
  'JwtHeaders',
  'JwtPayload',
])

/** Where only one type can stand it need not be said. */
function typeOf({ type }: JsonObject, types: readonly string[]): string | undefined {
  if (type === undefined) return types.length === 1 ? types[0] : undefined
  return types.find((one) => one === type)
}

function misplaced(type: unknown, types: readonly string[]): string {
  const expected = `${types.length > 1 ? 'one of ' : ''}${types.join(', ')} is expected`
  if (type === undefined) return `The component has no type; ${expected}.`
  if (typeof type === 'string' && Object.hasOwn(LANGUAGE, type)) {
    return `${type} cannot stand here; ${expected}.`
  }
  return `The component type '${type}' is not known here; ${expected}.`
}

const fieldOf = (path: string, name: string) => (path === '' ? name : `${path}.${name}`)

/** Parameters are copied into every component, whether it knows them or not. */
const isKnown = (name: string, { $parameters }: JsonObject, fields: Fields): boolean =>
  name === 'type' ||
  name.startsWith('$') ||
  Object.hasOwn(fields, name) ||
  Object.hasOwn(($parameters ?? {}) as JsonObject, name)

function noField(name: string, type: string): string {
  const [meant] = nearest(name, Object.keys(LANGUAGE[type] ?? {}), 1)
  return `${type} has no field of this name${meant ? `; '${meant}'?` : '.'}`
}
