import { isObject, type JsonObject, type JsonValue } from '../../../../protocol/index.ts'

/** What a value of the manifest may be. */
export interface Kind {
  /** As an error says it: "text or a list". */
  says: string
  /** Whether a value is of this form, whatever is wrong within it. */
  fits(value: JsonValue): boolean
  /** Reports what is wrong within a value of this form. */
  look?(value: JsonValue, path: string, visit: Visitor): void
}

/** What happens where a value is found to be wrong, or to be a component. */
export interface Visitor {
  wrong(path: string, message: string): void
  component(node: JsonObject, path: string, types: readonly string[]): void
  template?(source: string, path: string): void
}

const kind = (says: string, fits: Kind['fits']): Kind => ({ says, fits })

/** A text that is taken as it is. */
export const word = kind('text', (value) => typeof value === 'string')
/** A text that may be a template. */
export const text: Kind = {
  ...word,
  look: (value, path, visit) => visit.template?.(value as string, path),
}
export const flag = kind('true or false', (value) => typeof value === 'boolean')
export const number = kind('a number', (value) => typeof value === 'number')
export const whole = kind('a whole number', (value) => Number.isInteger(value))
/** A mapping whose content only those know that use it. */
export const map = kind('an object', isObject)
export const anything = kind('anything', () => true)
/** A mapping whose texts are templates, at any depth. */
export const templates: Kind = { ...map, look: (value, path, visit) => within(value, path, visit) }

function within(value: JsonValue, path: string, visit: Visitor): void {
  if (typeof value === 'string') visit.template?.(value, path)
  if (typeof value !== 'object' || value === null) return
  for (const [key, item] of Object.entries(value)) {
    within(item, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`, visit)
  }
}

export function list(item: Kind, atLeast = 0): Kind {
  return {
    says: 'a list',
    fits: Array.isArray,
    look(value, path, visit) {
      const items = value as JsonValue[]
      if (items.length < atLeast) visit.wrong(path, `At least ${atLeast} of them are needed.`)
      for (const [index, one] of items.entries()) inspect(item, one, `${path}[${index}]`, visit)
    },
  }
}

/** A mapping of free names to values of one kind. */
export function mapOf(item: Kind): Kind {
  return {
    ...map,
    look(value, path, visit) {
      for (const [name, one] of Object.entries(value as JsonObject)) {
        inspect(item, one, `${path}.${name}`, visit)
      }
    },
  }
}

export const choice = (...values: string[]): Kind =>
  kind(`one of ${values.join(', ')}`, (value) => values.includes(value as string))

/** A component of one of these types. */
export function of(...types: string[]): Kind {
  return {
    says: 'a component',
    fits: isObject,
    look: (value, path, visit) => visit.component(value as JsonObject, path, types),
  }
}

/** A component that says its type, although only one can stand there. */
export const typed = (component: Kind): Kind => ({
  ...component,
  fits: (value) => isObject(value) && value.type !== undefined,
})

/** The first kind whose form a value has. */
export function either(...kinds: Kind[]): Kind {
  return {
    says: kinds.map(({ says }) => says).join(' or '),
    fits: (value) => kinds.some(({ fits }) => fits(value)),
    look: (value, path, visit) => kinds.find(({ fits }) => fits(value))?.look?.(value, path, visit),
  }
}

export function inspect(wanted: Kind, value: JsonValue, path: string, visit: Visitor): void {
  if (wanted.fits(value)) wanted.look?.(value, path, visit)
  else visit.wrong(path, `It must be ${wanted.says}.`)
}

/** The fields of a component type by name. */
export type Fields = Record<string, Kind | Needed>

/** A field that must be there. */
export interface Needed {
  needed: Kind
}
export const needed = (wanted: Kind): Needed => ({ needed: wanted })

/** Component types by name. */
export type ComponentTypes = Record<string, Fields>
