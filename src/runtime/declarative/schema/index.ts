import { isObject, type JsonObject, type JsonSchema } from '../../../protocol/index.ts'
import { type Builders, build, type Component } from '../component.ts'
import { customPart } from '../custom/part.ts'
import type { Environment } from '../environment.ts'
import { dynamicSchema } from './dynamic.ts'

const OPEN: JsonSchema = { type: 'object', properties: {}, additionalProperties: true }

/** The stream's JSON Schema. Of several loaders the first with a property decides on it. */
export async function streamSchema(component: Component, env: Environment): Promise<JsonSchema> {
  const loaders = component.oneOrMany('schema_loader')
  const schemas: JsonSchema[] = []
  for (const loader of loaders) schemas.push(await build(LOADERS, loader, env))
  const [first, ...others] = schemas
  if (!first) return OPEN
  if (others.length === 0) return first
  const properties = schemas.map((schema) => (schema.properties ?? {}) as JsonObject)
  return { ...first, properties: Object.assign({}, ...properties.reverse()) }
}

const LOADERS: Builders<JsonSchema | Promise<JsonSchema>, Environment> = {
  CustomSchemaLoader: (component, env) =>
    customPart('schemaLoader', component, env.custom, { env })(),
  DynamicSchemaLoader: dynamicSchema,

  InlineSchemaLoader(component) {
    const schema = component.get('schema')
    return isObject(schema) ? schema : OPEN
  },
  // The file lies in a package that a manifest does not bring along.
  JsonFileSchemaLoader: () => OPEN,
}
