import { AirbyteError, isObject, type JsonObject, type JsonValue } from '../../protocol/index.ts'

/**
 * A node of the manifest: its type, its fields, and the path by which errors name it. Accessors
 * throw VALIDATION_FAILED with that path when a field is missing or of another type.
 */
export class Component {
  readonly path: string
  readonly type: string
  readonly fields: JsonObject
  /** What templates of this component see as `parameters`. */
  readonly parameters: JsonObject

  constructor(fields: JsonObject, path: string) {
    this.fields = fields
    this.path = path
    this.type = typeof fields.type === 'string' ? fields.type : ''
    this.parameters = isObject(fields.$parameters) ? fields.$parameters : {}
  }

  /** The field, or undefined when it is absent or null. */
  get(name: string): JsonValue | undefined {
    return Object.hasOwn(this.fields, name) ? (this.fields[name] ?? undefined) : undefined
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  required(name: string): JsonValue {
    const value = this.get(name)
    if (value === undefined) throw this.refuse(`The field '${name}' is missing.`, name)
    return value
  }

  text(name: string): string {
    const value = this.required(name)
    if (typeof value !== 'string') throw this.refuse(`'${name}' must be text.`, name)
    return value
  }

  optionalText(name: string): string | undefined {
    return this.has(name) ? this.text(name) : undefined
  }

  flag(name: string, byDefault = false): boolean {
    const value = this.get(name)
    if (value === undefined) return byDefault
    if (typeof value === 'boolean') return value
    throw this.refuse(`'${name}' must be true or false.`, name)
  }

  object(name: string): JsonObject {
    const value = this.get(name) ?? {}
    if (!isObject(value)) throw this.refuse(`'${name}' must be an object.`, name)
    return value
  }

  list(name: string): JsonValue[] {
    const value = this.get(name) ?? []
    if (!Array.isArray(value)) throw this.refuse(`'${name}' must be a list.`, name)
    return value
  }

  child(name: string): Component {
    const value = this.required(name)
    if (!isObject(value)) throw this.refuse(`'${name}' must be a component.`, name)
    return new Component(value, this.pathOf(name))
  }

  optionalChild(name: string): Component | undefined {
    return this.has(name) ? this.child(name) : undefined
  }

  children(name: string): Component[] {
    return this.list(name).map((value, index) => {
      const path = `${this.pathOf(name)}[${index}]`
      if (!isObject(value)) throw invalid('A component must be an object.', path)
      return new Component(value, path)
    })
  }

  /** A component under a field that may hold one or a list of them. */
  oneOrMany(name: string): Component[] {
    if (!this.has(name)) return []
    return Array.isArray(this.get(name)) ? this.children(name) : [this.child(name)]
  }

  pathOf(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`
  }

  /** The same node under another type: what a custom class builds on. */
  as(type: string): Component {
    return new Component({ ...this.fields, type }, this.path)
  }

  refuse(message: string, name?: string): AirbyteError {
    return invalid(message, name === undefined ? this.path : this.pathOf(name))
  }
}

function invalid(message: string, path: string): AirbyteError {
  const field = path || 'manifest'
  return new AirbyteError('VALIDATION_FAILED', `${field}: ${message}`, { field })
}

/** Builds one part of the engine from a component of the manifest. */
export type Builder<Part, Environment> = (component: Component, environment: Environment) => Part
/** The component types of one family, by name. */
export type Builders<Part, Environment> = Record<string, Builder<Part, Environment>>

/**
 * Builds a component by its type.
 *
 * @throws UNSUPPORTED with the class name for a custom component that has no builder
 * @throws VALIDATION_FAILED for a type that the family does not have
 */
export function build<Part, Environment>(
  builders: Builders<Part, Environment>,
  component: Component,
  environment: Environment,
): Part {
  const builder = Object.hasOwn(builders, component.type) ? builders[component.type] : undefined
  if (builder) return builder(component, environment)
  const className = component.get('class_name')
  if (className !== undefined || component.type.startsWith('Custom')) {
    throw new AirbyteError(
      'UNSUPPORTED',
      `${component.path}: the custom class '${className ?? component.type}' has no counterpart here.`,
      { field: component.path, hint: 'Read the other streams, or register a class of this name.' },
    )
  }
  const known = Object.keys(builders).join(', ')
  throw new UnknownComponent(
    component,
    component.type === ''
      ? `The component has no type; one of ${known} is expected.`
      : `The component type '${component.type}' is not known here; one of ${known} is expected.`,
  )
}

/** A type that its family does not have: no config makes it run. */
export class UnknownComponent extends AirbyteError {
  constructor(component: Component, message: string) {
    const refused = component.refuse(message)
    super(refused.code, refused.message, { field: refused.field })
  }
}
