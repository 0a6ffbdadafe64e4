import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../../../scripts/lib/bundle.ts'
import type { ApiDocument } from './document.ts'
import { pathKey } from './openapi-types.ts'
import { problemsOf, type Shape } from './shape.ts'

interface Schema {
  $ref?: string
  type?: string | string[]
  nullable?: boolean
  format?: string
  properties?: Record<string, Schema>
  items?: Schema
  additionalProperties?: boolean | Schema
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
}

interface Body {
  content: { 'application/json': { schema: Schema } }
}

interface Operation {
  parameters: { name: string; in: string }[]
  requestBody?: Body
  responses?: { 200: Body }
}

interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

/**
 * A vendor's OpenAPI document, as far as `test/oracle/openapi/extract.ts` took it over. Answers may
 * leave fields out: the mocks fill those that a manifest names.
 *
 * @param elsewhere paths of other APIs of the vendor's, which the document does not describe
 */
export function openApiExcerpt(vendor: string, elsewhere?: RegExp): ApiDocument {
  const file = join(ROOT, 'test/oracle/openapi', `${vendor}.json`)
  const { paths, components } = JSON.parse(readFileSync(file, 'utf8')) as Document
  const byKey = new Map(Object.entries(paths).map(([path, item]) => [pathKey(path), item]))
  const follow = (shape: Shape): Shape => {
    const name = shape.kind === 'reference' ? (shape.path.at(-1) ?? '') : ''
    return shapeOf(components.schemas[name] ?? {})
  }
  return {
    covers: (path) => !elsewhere?.test(path),
    operation(method, path) {
      const operation = byKey.get(pathKey(path))?.[method.toLowerCase()]
      if (!operation) return undefined
      const { parameters, requestBody, responses } = operation
      const answer = responses && shapeOf(schemaIn(responses[200]))
      return {
        query: new Set(parameters.flatMap((one) => (one.in === 'query' ? one.name : []))),
        body: new Set(requestBody && Object.keys(schemaIn(requestBody).properties ?? {})),
        problems: (value) => (answer ? problemsOf(answer, value, follow) : []),
      }
    },
  }
}

const schemaIn = ({ content }: Body): Schema => content['application/json'].schema

function shapeOf(schema: Schema): Shape {
  const shape = withoutNull(schema)
  const isNullable = schema.nullable || (Array.isArray(schema.type) && schema.type.includes('null'))
  return isNullable ? { kind: 'union', of: [shape, { kind: 'literal', value: null }] } : shape
}

function withoutNull(schema: Schema): Shape {
  const { $ref, anyOf, oneOf, allOf, properties, additionalProperties: others, items } = schema
  if ($ref) return { kind: 'reference', path: $ref.split('/') }
  const branches = anyOf ?? oneOf
  if (branches) return { kind: 'union', of: branches.map(shapeOf) }
  if (allOf) return { kind: 'intersection', of: allOf.map(shapeOf) }
  const [type] = [schema.type ?? (properties ? 'object' : undefined)].flat()
  switch (type) {
    case 'object': {
      if (!properties && others === undefined) return { kind: 'any' }
      const fields = Object.entries(properties ?? {}).map(
        ([name, field]) => [name, { required: false, shape: shapeOf(field) }] as const,
      )
      const other = typeof others === 'object' ? shapeOf(others) : ({ kind: 'any' } as const)
      return { kind: 'object', fields: new Map(fields), ...(others ? { others: other } : {}) }
    }
    case 'array':
      return { kind: 'array', items: items ? shapeOf(items) : { kind: 'any' } }
    case 'integer':
      return { kind: 'number' }
    case 'string':
    case 'number':
    case 'boolean':
      return { kind: type }
    default:
      return { kind: 'any' }
  }
}
