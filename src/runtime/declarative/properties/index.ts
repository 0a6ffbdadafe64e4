import { isObject, type JsonObject } from '../../../protocol/index.ts'
import { type Builders, build, type Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { WHOLE_STREAM } from '../environment.ts'
import { str } from '../python/text.ts'
import { buildTransformation } from '../records/transformations.ts'
import type { RecordData } from '../records/types.ts'
import { type Chunking, chunking } from './chunking.ts'
import { propertiesFromEndpoint } from './from-endpoint.ts'

/** The properties that each page of a stream is asked for, in one request or in several. */
export interface QueryProperties {
  /** The request parameter that holds them; undefined: templates do. */
  parameter: string | undefined
  chunks(): Promise<string[][]>
  /** Records of one page with the same key are one; undefined: a record is not merged. */
  mergeKey?(record: RecordData): string | undefined
}

/**
 * @throws VALIDATION_FAILED for more than one list of properties
 */
export function queryProperties(
  requester: Component,
  env: Environment,
): QueryProperties | undefined {
  const own = parametersOf(requester)
  const endpoint = requester.optionalChild('fetch_properties_from_endpoint')
  const [[parameter, listed] = [], second] = own
  if (second || (listed && endpoint)) {
    throw requester.refuse('A stream has one list of properties.', 'request_parameters')
  }
  if (listed) return build(LISTS, listed, { env, parameter })
  if (endpoint) {
    const fetched = build(SOURCES, endpoint, env)
    return { parameter: undefined, chunks: async () => [await fetched()] }
  }
  const other = requester.optionalChild('query_properties')
  return other && build(LISTS, other, { env, parameter: undefined })
}

/** The lists that stand in the place of a parameter's value. */
function parametersOf(requester: Component): [string, Component][] {
  const parameters = requester.get('request_parameters')
  if (!isObject(parameters)) return []
  const children = requester.child('request_parameters')
  return Object.keys(parameters).flatMap((name) =>
    isObject(parameters[name]) ? [[name, children.child(name)] as [string, Component]] : [],
  )
}

interface Context {
  env: Environment
  parameter: string | undefined
}

const LISTS: Builders<QueryProperties, Context> = {
  QueryProperties(component, { env, parameter }) {
    const fields = listOf(component, env)
    const always = component.list('always_include_properties').map(String)
    const chunked = component.optionalChild('property_chunking')
    const split = chunked && build(CHUNKINGS, chunked, env)
    const selector = component.optionalChild('property_selector')
    const select = selector && build(SELECTORS, selector, env)
    return {
      parameter,
      mergeKey: split?.mergeKey,
      async chunks() {
        const selected = select?.()
        const all = await fields()
        if (split) return split.chunks(all, always, selected)
        return [[...always, ...all.filter((field) => selected?.has(field) ?? true)]]
      },
    }
  },
}

function listOf(component: Component, env: Environment): () => Promise<string[]> {
  const given = component.required('property_list')
  if (Array.isArray(given)) return async () => given.map(String)
  return build(SOURCES, component.child('property_list'), env)
}

const SOURCES: Builders<() => Promise<string[]>, Environment> = {
  PropertiesFromEndpoint: propertiesFromEndpoint,
}

const CHUNKINGS: Builders<Chunking, Environment> = { PropertyChunking: chunking }

/** The properties that the user wants; undefined: all, as there is no catalog. */
const SELECTORS: Builders<() => Set<string> | undefined, Environment> = {
  JsonSchemaPropertySelector(component, env) {
    const transformations = component
      .children('transformations')
      .map((child) => buildTransformation(child, env))
    return () => {
      const configured = env.run.configured.get(env.stream)
      if (!configured) return undefined
      const { selectedFields, stream } = configured
      const properties = Object.entries((stream.json_schema.properties ?? {}) as JsonObject)
      const wanted: RecordData = Object.fromEntries(
        properties.filter(([name]) => selectedFields?.includes(name) ?? true),
      )
      for (const transform of transformations) transform(wanted, WHOLE_STREAM)
      return new Set(Object.keys(wanted).map(str))
    }
  },
}
