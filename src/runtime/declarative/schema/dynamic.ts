import { isObject, type JsonObject, type JsonSchema } from '../../../protocol/index.ts'
import { Component } from '../component.ts'
import { type Environment, WHOLE_STREAM } from '../environment.ts'
import { condition, textTemplate } from '../interpolation.ts'
import { setOwn } from '../python/mappings.ts'
import { firstAt } from '../records/paths.ts'
import { buildTransformation } from '../records/transformations.ts'
import { buildStream } from '../stream/build.ts'
import { readPagesNow } from '../stream/read-pages.ts'
import { fromAirbyteState } from '../stream/state.ts'
import { airbyteDataType } from './data-types.ts'

/** A schema from the API's own description of its fields: the first record that a retriever gives. */
export async function dynamicSchema(component: Component, env: Environment): Promise<JsonSchema> {
  const identifier = component.child('schema_type_identifier')
  const pointer = (name: string) =>
    identifier
      .list(name)
      .map((part) => textTemplate(String(part), { env, parameters: identifier.parameters })())
  const [schemaPath, keyPath, typePath] = ['schema_pointer', 'key_pointer', 'type_pointer'].map(
    pointer,
  )
  const described = firstAt(await firstRecord(component, env), schemaPath ?? []) ?? []
  const typeOf = typeMapper(identifier, env)

  const properties: JsonObject = {}
  const fields = Array.isArray(described) ? described : Object.keys(described as object)
  for (const field of fields) {
    const key = firstAt(field, keyPath ?? [])
    if (typeof key !== 'string') {
      throw component.refuse(`The schema has a field whose name is ${JSON.stringify(key)}.`)
    }
    const type = typePath?.length ? (firstAt(field, typePath) ?? 'string') : 'string'
    setOwn(properties, key, typeOf(type, field))
  }
  const kept = filterProperties(component, env, properties)
  for (const child of component.children('schema_transformations')) {
    buildTransformation(child, env)(kept, WHOLE_STREAM)
  }
  return { type: 'object', additionalProperties: true, properties: kept }
}

async function firstRecord(component: Component, env: Environment): Promise<unknown> {
  const fields = {
    type: 'DeclarativeStream',
    name: env.stream,
    retriever: component.child('retriever').fields,
  }
  const stream = buildStream(new Component(fields, component.path), env)
  for await (const { records } of readPagesNow(stream, fromAirbyteState({}))) {
    if (records.length > 0) return records[0]
  }
  return undefined
}

function filterProperties(
  component: Component,
  env: Environment,
  properties: JsonObject,
): JsonObject {
  const source = component.optionalChild('schema_filter')?.optionalText('condition')
  if (!source) return properties
  const keep = condition(source, { env, parameters: component.parameters })
  return Object.fromEntries(
    Object.entries(properties).filter(([name, schema]) => keep({ record: { [name]: schema } })),
  )
}

function typeMapper(identifier: Component, env: Environment) {
  const maps = identifier.children('types_mapping').map((map) => {
    const source = map.optionalText('condition')
    return {
      current: map.required('current_type'),
      target: map.required('target_type'),
      applies: source ? condition(source, { env, parameters: {} }) : () => true,
    }
  })
  const schemaFor = (type: unknown): JsonSchema => {
    if (typeof type === 'string') return airbyteDataType(type, identifier)
    if (Array.isArray(type) && type.length === 2) return { oneOf: type.map(schemaFor) }
    if (isObject(type)) {
      const schema = airbyteDataType(String(type.field_type), identifier)
      return type.items === undefined ? schema : { ...schema, items: schemaFor(type.items) }
    }
    throw identifier.refuse(`A field has the type ${JSON.stringify(type)}.`, 'types_mapping')
  }
  return (type: unknown, raw_schema: unknown): JsonSchema => {
    const text = JSON.stringify(type)
    const found = maps.find(
      ({ current, applies }) => JSON.stringify(current) === text && applies({ raw_schema }),
    )
    return schemaFor(found ? found.target : type)
  }
}
