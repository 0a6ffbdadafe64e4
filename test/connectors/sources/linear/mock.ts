import type { JsonObject } from '../../../../src/protocol/index.ts'
import { manifestSchemas } from '../declarative/connector.ts'
import type { MockAnswer, MockRequest } from '../declarative/mock-api.ts'
import { pageAfter } from '../declarative/paging.ts'
import type { MockedConnector, MockedStream } from '../declarative/suite.ts'
import { type Collection, NOW } from '../declarative/synthetic.ts'
import { filterProblems, queryProblems } from './document.ts'
import { type ParsedQuery, parseQuery, pick } from './query.ts'
import { rowsOf } from './rows.ts'

const API_KEY = 'lin_api_synthetic'
/** Fewer than asked for, so that few rows are several pages. */
const PAGE = 2
const PAGE_ARGUMENTS = ['first', 'after', 'orderBy', 'includeArchived']
/** These have no filter: https://studio.apollographql.com/public/Linear-API */
const UNFILTERED = ['customerStatuses', 'customerTiers', 'issueRelations', 'projectStatuses']

const failure = (status: number, code: string, message: string): MockAnswer => ({
  status,
  body: { errors: [{ message, extensions: { code } }] },
})

/** Linear with a synthetic workspace. It reads the queries, and answers what they select. */
export const linear: MockedConnector = {
  name: 'linear',
  config: { api_key: API_KEY, start_date: '2026-01-01T00:00:00Z' },
  badConfigs: [
    { title: 'another key', config: { api_key: 'lin_api_wrong' }, codes: ['AUTH_FAILED'] },
  ],
  origins: ['https://api.linear.app'],
  open() {
    const connections = new Map<string, Collection<JsonObject>>()
    const streams: Record<string, MockedStream> = {}
    for (const [stream, schema] of manifestSchemas('linear')) {
      const rows = rowsOf(stream, schema)
      const connection = stream.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
      connections.set(connection, rows)
      const incremental = {
        ...{ sends: 'variables', again: true as const },
        grow: () => rows.grow(),
        touch: () => rows.touch(),
      }
      streams[stream] = {
        rows: () => rows.rows.length,
        ...(UNFILTERED.includes(connection) ? {} : { incremental }),
      }
    }
    return {
      streams,
      routes: {
        'POST /graphql': {
          body: ['query', 'variables'],
          answer: (request) => answer(request, connections),
        },
      },
      authorize: ({ headers }) =>
        headers.get('authorization') === API_KEY
          ? undefined
          : failure(401, 'AUTHENTICATION_ERROR', 'Authentication required, not authenticated'),
      rateLimits: [
        {
          answer: {
            ...failure(400, 'RATELIMITED', 'Rate limit exceeded'),
            headers: { 'x-ratelimit-requests-reset': String(NOW + 30_000) },
          },
          seconds: 30,
        },
        { answer: { status: 502, body: 'Bad gateway' }, seconds: 10 },
      ],
    }
  },
}

function answer({ body }: MockRequest, connections: Map<string, Collection<JsonObject>>) {
  const query = parseQuery(String(body.query))
  const collection = connections.get(query.connection)
  if (!collection) throw new Error(`there is no connection ${query.connection}`)
  checkArguments(query)
  const variables = (body.variables ?? {}) as JsonObject
  const undocumented = [
    ...queryProblems(query),
    ...filterProblems(query.variables.$filter ?? '', variables.filter ?? ''),
  ]
  if (undocumented.length > 0) throw new Error(undocumented.join(', '))
  for (const name of Object.keys(variables)) {
    if (!(`$${name}` in query.variables)) throw new Error(`$${name} is not declared`)
  }
  if (!Number.isInteger(variables.first) || Number(variables.first) > 250) {
    throw new Error(`first is ${variables.first}`)
  }
  // The newest first.
  const rows = filtered(collection.rows, variables.filter).reverse()
  const after = variables.after === undefined ? null : String(variables.after)
  const page = pageAfter(rows, after, PAGE, ({ id }) => String(id))
  return {
    body: {
      data: {
        page: {
          nodes: page.rows.map((row) => pick(row, query.nodes)),
          pageInfo: { hasNextPage: page.hasMore, endCursor: page.rows.at(-1)?.id ?? null },
        },
      },
    },
  }
}

function checkArguments({ connection, args }: ParsedQuery): void {
  const known = [
    ...PAGE_ARGUMENTS,
    ...(UNFILTERED.includes(connection) ? [] : ['filter']),
    ...(connection === 'users' ? ['includeDisabled'] : []),
  ]
  const unknown = Object.keys(args).find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`${connection} takes no ${unknown}`)
  if (args.orderBy !== 'createdAt' || args.includeArchived !== 'true') {
    throw new Error(`${connection} is not read in a stable order, archived rows included`)
  }
}

function filtered(rows: JsonObject[], filter: unknown): JsonObject[] {
  const { updatedAt, ...others } = (filter ?? {}) as { updatedAt?: { gte?: string; lte?: string } }
  if (Object.keys(others).length > 0) throw new Error(`unknown filter ${Object.keys(others)}`)
  const { gte = '', lte = '9' } = updatedAt ?? {}
  return rows.filter((row) => String(row.updatedAt) >= gte && String(row.updatedAt) <= lte)
}
