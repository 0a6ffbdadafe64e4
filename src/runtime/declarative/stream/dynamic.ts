import { isObject, type JsonObject, type JsonValue } from '../../../protocol/index.ts'
import { type Builders, build, Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { condition, type Scope, template, textTemplate } from '../interpolation.ts'
import { parseYamlValue } from '../manifest/parse-yaml.ts'
import { propagate } from '../manifest/propagate.ts'
import { toJson } from '../python/json.ts'
import { truthy } from '../python/values.ts'
import { isPattern, setAt, valueAt, valuesAt } from '../records/paths.ts'
import { validTypesOf } from '../records/value-types.ts'
import { buildStream } from './build.ts'
import { readPagesNow } from './read-pages.ts'
import { fromAirbyteState } from './state.ts'

/** The values of which one stream each is made, as templates see them. */
type Values = AsyncIterable<Scope> | Iterable<Scope>

/** The streams that a template and its resolver make under this config. */
export async function* dynamicStreams(
  dynamic: Component,
  env: Omit<Environment, 'stream'>,
): AsyncGenerator<Component> {
  const source = dynamic.child('stream_template')
  const resolver = dynamic.child('components_resolver')
  const environment = { ...env, stream: dynamic.optionalText('name') ?? dynamic.path }
  const mappings = resolver
    .children('components_mapping')
    .map((child) => mapping(child, environment))
  const parentFirst = dynamic.flag('use_parent_parameters', true)
  for await (const values of build(RESOLVERS, resolver, environment)) {
    const fields = structuredClone(source.fields)
    const scope = { ...values, stream_template_config: source.fields }
    for (const apply of mappings) apply(fields, scope)
    const resolved = propagate(fields, '', {}, parentFirst)
    yield new Component({ type: 'DeclarativeStream', ...resolved }, source.path)
  }
}

const RESOLVERS: Builders<Values, Environment> = {
  async *HttpComponentsResolver(component, env) {
    const fields = {
      type: 'DeclarativeStream',
      name: env.stream,
      retriever: component.fields.retriever as JsonValue,
    }
    const stream = buildStream(new Component(fields, component.path), env)
    for await (const page of readPagesNow(stream, fromAirbyteState({}))) {
      for (const components_values of page.records) {
        yield { components_values, stream_slice: page.slice.partition }
      }
    }
  },

  *ConfigComponentsResolver(component, env) {
    const lists = component.oneOrMany('stream_config').map((config) => {
      const bound = { env, parameters: config.parameters }
      const path = config.list('configs_pointer').map((part) => textTemplate(String(part), bound)())
      const found = (valueAt(env.config, path) ?? []) as JsonValue
      return [...(Array.isArray(found) ? found : [found]), ...config.list('default_values')]
    })
    for (const combination of product(lists)) {
      const components_values: JsonObject = {}
      for (const [index, { at, item }] of combination.entries()) {
        if (isObject(item)) Object.assign(components_values, item)
        else components_values[`source_config_${index}`] ??= [at, item]
      }
      yield { components_values }
    }
  },

  *ParametrizedComponentsResolver(component) {
    const parameters = component.child('stream_parameters')
    for (const components_values of parameters.list('list_of_parameters_for_stream')) {
      yield { components_values }
    }
  },
}

function* product(lists: JsonValue[][]): Generator<{ at: number; item: JsonValue }[]> {
  const [first, ...rest] = lists
  if (!first) {
    yield []
    return
  }
  for (const [at, item] of first.entries()) {
    for (const others of product(rest)) yield [{ at, item }, ...others]
  }
}

/** Writes one value into the stream's definition; only into a path that exists unless told otherwise. */
function mapping(component: Component, env: Environment) {
  const bound = { env, parameters: component.parameters }
  const path = component.list('field_path').map((part) => textTemplate(String(part), bound))
  const type = component.optionalText('value_type')
  const validTypes = validTypesOf(type)
  const value = template(String(component.required('value')), bound, { validTypes })
  const source = component.optionalText('condition')
  const applies = source ? condition(source, bound) : () => true
  const creates = component.flag('create_or_update')
  return (fields: JsonObject, scope: Scope): void => {
    if (!applies(scope)) return
    const evaluated = value(scope)
    const parsed =
      typeof evaluated === 'string' && type !== 'string'
        ? parseYamlValue(evaluated)
        : toJson(evaluated)
    const segments = path.map((segment) => segment(scope))
    const exists = segments.some(isPattern)
      ? valuesAt(fields, segments).length > 0
      : valueAt(fields, segments) !== undefined
    if (exists && segments.some(isPattern)) setMatches(fields, segments, parsed)
    else if (exists || (creates && truthy(parsed))) setAt(fields, segments, parsed)
  }
}

/** Sets the value at each path that the pattern matches. */
function setMatches(node: unknown, [head = '', ...rest]: string[], value: unknown): void {
  const keys = Array.isArray(node)
    ? [...node.keys()].map(String)
    : isObject(node)
      ? Object.keys(node)
      : []
  const holder = node as Record<string, unknown>
  for (const key of keys) {
    if (valuesAt({ [key]: true }, [head]).length === 0) continue
    if (rest.length === 0) holder[key] = value
    else setMatches(holder[key], rest, value)
  }
}
