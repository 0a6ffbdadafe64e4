import { AirbyteError, isObject, type JsonObject, type JsonValue } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import { type Environment, type Slice, sliceScope } from '../environment.ts'
import { type Scope, template } from '../interpolation.ts'
import { isMapping } from '../python/mappings.ts'
import { str } from '../python/text.ts'
import type { Value } from '../python/values.ts'
import type { ValidType } from '../template/index.ts'
import { type Fields, fieldsOf, type Input, type RequestOptions } from './options.ts'

type Bound = { env: Environment; parameters: JsonObject }
type InputTemplate = (scope: Scope) => Input

const TEXT_OR_LIST: ValidType[] = ['str', 'list']

/** What the requester's own fields add to each of its requests. */
export function staticOptions(
  requester: Component,
  env: Environment,
): (slice: Slice, token: JsonValue) => RequestOptions {
  const bound = { env, parameters: requester.parameters }
  const body = bodyOf(requester)
  const parameters = inputTemplate(requester.get('request_parameters'), bound, TEXT_OR_LIST)
  const properties = propertiesParameter(requester)
  const headers = inputTemplate(requester.get('request_headers'), bound)
  const data = inputTemplate(body.data, bound, TEXT_OR_LIST)
  const json = nestedTemplate(body.json, bound)
  return (slice, token) => {
    const scope = sliceScope(slice, token)
    return {
      request_parameter: withFields(parameters(scope), properties(slice)),
      header: headers(scope),
      body_data: data(scope),
      body_json: json(scope),
    }
  }
}

const withFields = (input: Input, more: Fields): Input =>
  typeof input === 'string' || more.size === 0 ? input : new Map([...input, ...more])

function bodyOf(requester: Component): { data?: JsonValue; json?: JsonValue } {
  const data = requester.get('request_body_data')
  const json = requester.get('request_body_json')
  const body = requester.optionalChild('request_body')
  if ([data, json, body].filter((given) => given !== undefined).length > 1) {
    throw requester.refuse('Only one of request_body, request_body_data and request_body_json.')
  }
  if (!body) return { data, json }
  const value = body.required('value')
  switch (body.type) {
    case 'RequestBodyUrlEncodedForm':
    case 'RequestBodyPlainText':
      return { data: value }
    case 'RequestBodyGraphQL': {
      const { type: _, $parameters: __, ...query } = isObject(value) ? value : {}
      return { json: query }
    }
    case 'RequestBodyJsonObject':
      return { json: value }
    default:
      throw body.refuse(`The body type '${body.type}' is not known.`)
  }
}

/** A flat mapping, keys and values templated, null dropped; or a text that makes a mapping. */
function inputTemplate(
  source: JsonValue | undefined,
  bound: Bound,
  validTypes?: ValidType[],
): InputTemplate {
  if (typeof source === 'string') return wholeTemplate(source, bound)
  if (!isObject(source)) return () => new Map()
  const plain = Object.entries(source).filter(([, value]) => !isObject(value))
  const entries = plain.map(([key, value]) => ({
    key: template(key, bound, { validTypes: ['str'], default: null }),
    value:
      typeof value === 'string'
        ? template(value, bound, { validTypes, default: null })
        : () => value,
  }))
  return (scope) => {
    const fields: Fields = new Map()
    for (const { key, value } of entries) {
      const result = value(scope)
      if (result !== null && result !== undefined) fields.set(str(key(scope)), result)
    }
    return fields
  }
}

/** The parameter that holds the properties of the slice, which are asked for chunk by chunk. */
function propertiesParameter({ fields, path }: Component): (slice: Slice) => Fields {
  const { request_parameters: parameters } = fields
  if (!isObject(parameters)) return () => new Map()
  const name = Object.keys(parameters).find((key) => isObject(parameters[key]))
  if (name === undefined) return () => new Map()
  return ({ extra }) => {
    const { query_properties: properties } = extra
    if (Array.isArray(properties)) return new Map([[name, properties.join(',')]])
    throw new AirbyteError(
      'VALIDATION_FAILED',
      `${path}: the list of properties in '${name}' is for the requester of a stream's own pages.`,
    )
  }
}

function wholeTemplate(source: string, bound: Bound, keepsNull = false): InputTemplate {
  const evaluate = template(source, bound, { default: '' })
  return (scope) => {
    const result = evaluate(scope)
    return isMapping(result) ? fieldsOf(result, !keepsNull) : str(result ?? '')
  }
}

/** A JSON body: every text templated at any depth, null dropped from objects. */
function nestedTemplate(source: JsonValue | undefined, bound: Bound): InputTemplate {
  if (typeof source === 'string') return wholeTemplate(source, bound, true)
  if (!isObject(source)) return () => new Map()
  const evaluate = nested(source, bound)
  return (scope) => fieldsOf(evaluate(scope))
}

function nested(source: JsonValue, bound: Bound): (scope: Scope) => Value {
  if (typeof source === 'string') return template(source, bound, { default: null })
  if (Array.isArray(source)) {
    const items = source.map((item) => nested(item, bound))
    return (scope) => items.map((item) => item(scope))
  }
  if (!isObject(source)) return () => source
  const entries = Object.entries(source).map(
    ([key, value]) => [template(key, bound, { default: null }), nested(value, bound)] as const,
  )
  return (scope) => {
    const result: Record<string, Value> = {}
    for (const [key, value] of entries) {
      const item = value(scope)
      if (item !== null && item !== undefined) result[str(key(scope))] = item
    }
    return result
  }
}
