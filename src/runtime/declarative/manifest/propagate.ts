import { isObject, type JsonObject, type JsonValue } from '../../../protocol/index.ts'
import { DEFAULT_CUSTOM_TYPES, DEFAULT_TYPES } from './default-types.ts'
import { isFilled } from './values.ts'

/**
 * Gives each component its type and its `$parameters`: the parent's overlaid by its own. A
 * parameter is also copied into the component as a field where that field is missing or falsy,
 * also a field that the component does not know: this is how `name` and `path` arrive.
 *
 * @param parentFirst the parent's parameters win (dynamic streams)
 */
export function propagate(
  component: JsonObject,
  field = '',
  inherited: JsonObject = {},
  parentFirst = false,
): JsonObject {
  const { $parameters: own, ...node } = component
  const defaults = 'class_name' in node ? DEFAULT_CUSTOM_TYPES : DEFAULT_TYPES
  if (node.type === undefined && defaults[field] !== undefined) node.type = defaults[field]
  const ownParameters = isObject(own) ? own : {}
  const parameters = parentFirst
    ? { ...ownParameters, ...inherited }
    : { ...inherited, ...ownParameters }

  if (isJsonSchema(node)) return node
  if (node.type === undefined) return propagateUntyped(node, field, parameters, parentFirst)

  for (const [name, value] of Object.entries(parameters)) {
    if (!isFilled(node[name])) node[name] = value
  }
  for (const [name, value] of Object.entries(node)) {
    const down = (child: JsonValue): JsonValue =>
      isObject(child)
        ? propagate(child, `${node.type}.${name}`, without(parameters, name), parentFirst)
        : child
    node[name] = Array.isArray(value) ? value.map(down) : down(value)
  }
  if (Object.keys(parameters).length > 0) node.$parameters = parameters
  return node
}

/** An object that is no component, such as request parameters, may hold components one level down. */
function propagateUntyped(
  node: JsonObject,
  field: string,
  parameters: JsonObject,
  parentFirst: boolean,
): JsonObject {
  for (const [name, value] of Object.entries(node)) {
    if (isObject(value) && isFilled(value.type)) {
      node[name] = propagate(value, field, parameters, parentFirst)
    }
  }
  return node
}

/** A parameter named like the child's own field would come back in it without end. */
function without(parameters: JsonObject, name: string): JsonObject {
  if (!(name in parameters)) return parameters
  const { [name]: _, ...rest } = parameters
  return rest
}

const isJsonSchema = ({ type }: JsonObject) =>
  type === 'object' || (typeof type === 'object' && type !== null)
