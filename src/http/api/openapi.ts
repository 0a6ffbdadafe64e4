import { z } from 'zod'
import { operations } from '../../../tools/index.ts'
import type { Operation } from '../../operations/define.ts'
import { ERROR_CODES } from '../../protocol/error-codes.ts'

type Json = Record<string, unknown>

/** OpenAPI 3.1 of the REST routes, made from the registry. */
export function openApiDocument(origin: string) {
  const paths: Record<string, Json> = {}
  for (const operation of operations) {
    const path = `/api/v1${operation.http.path.replaceAll(/:(\w+)/g, '{$1}')}`
    paths[path] = { ...paths[path], [operation.http.method.toLowerCase()]: describe(operation) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Airbyte', version: '1', license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: origin }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: ERROR_SCHEMA },
      responses: { Error: { description: 'Failed', content: jsonOf(ref('Error')) } },
    },
  }
}

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const jsonOf = (schema: Json) => ({ 'application/json': { schema } })

const ERROR_SCHEMA = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'kind', 'message', 'hint'],
      properties: {
        code: { type: 'string', enum: Object.keys(ERROR_CODES) },
        kind: { type: 'string', enum: ['config', 'transient', 'system'] },
        message: { type: 'string' },
        hint: { type: 'string', description: 'What to do next.' },
        field: { type: 'string' },
        stream: { type: 'string' },
        didYouMean: { type: 'array', items: { type: 'string' } },
        retryAt: { type: 'integer', description: 'Epoch milliseconds.' },
      },
    },
  },
}

function describe({ id, title, description, input, output, scopes, http }: Operation): Json {
  const inPath = new Set([...http.path.matchAll(/:(\w+)/g)].map(([, name]) => name))
  const { properties = {}, required = [] } = schemaOf(input, 'input') as {
    properties?: Record<string, Json>
    required?: string[]
  }
  const [outside, inside] = [Object.keys(properties), Object.keys(properties)].map((names, i) =>
    names.filter((name) => (http.method === 'GET' || inPath.has(name)) === (i === 0)),
  ) as [string[], string[]]
  const body = {
    type: 'object',
    properties: Object.fromEntries(inside.map((name) => [name, properties[name]])),
    required: required.filter((name) => inside.includes(name)),
    additionalProperties: false,
  }
  return {
    ...{ operationId: id, summary: title, description, tags: [id.split('.')[0]] },
    security: [{ bearer: [...scopes] }],
    parameters: outside.map((name) => ({
      name,
      in: inPath.has(name) ? 'path' : 'query',
      required: inPath.has(name) || required.includes(name),
      schema: properties[name],
    })),
    ...(inside.length > 0 && {
      requestBody: { required: body.required.length > 0, content: jsonOf(body) },
    }),
    responses: {
      200: { description: 'Done', content: jsonOf(schemaOf(output, 'output')) },
      default: { $ref: '#/components/responses/Error' },
    },
  }
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}
