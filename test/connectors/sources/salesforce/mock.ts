import type { JsonObject } from '../../../../src/protocol/index.ts'
import type { MockAnswer, MockRequest } from '../declarative/mock-api.ts'
import type { MockedApi, MockedConnector } from '../declarative/suite.ts'
import { describeObject, Org, SOBJECTS } from './org.ts'

/** Fewer than Salesforce's, so that few rows are several pages. */
const PAGE = 2
const INSTANCE = 'https://example.my.salesforce.com'

export const config = {
  ...{ instance_url: INSTANCE, client_id: 'app', client_secret: 'app-shh' },
  ...{ refresh_token: 'refresh-right', start_date: '2026-01-01T00:00:00Z' },
}

export const problem = (status: number, errorCode: string, message: string): MockAnswer => ({
  status,
  body: [{ message, errorCode }],
})

/** Salesforce with a synthetic org. */
export function salesforceApi(org = new Org()): MockedApi {
  const streams: MockedApi['streams'] = {}
  for (const object of ['Account', 'Contact', 'Task', 'User', 'Boat__c']) {
    const three = () => {
      for (let n = 0; n < 3; n++) org.add(object)
    }
    three()
    if (object === 'Boat__c') continue
    const remove = { remove: () => org.change(object, { IsDeleted: true }) }
    streams[object] = {
      rows: () => org.rows(object).length,
      // The rest of a query has an address of its own.
      onePage: true,
      incremental: {
        ...{ sends: 'q', again: true, grow: three, touch: () => org.change(object) },
        ...(object === 'User' ? {} : remove),
      },
    }
  }
  const session = { token: 'session-0', count: 0 }
  const queries: JsonObject[][] = []
  return {
    streams,
    routes: {
      'POST /services/oauth2/token': {
        givesTokens: true,
        body: ['grant_type', 'client_id', 'client_secret', 'refresh_token'],
        answer({ body }) {
          if (body.grant_type !== 'refresh_token' || body.refresh_token !== 'refresh-right') {
            const error_description = 'expired access/refresh token'
            return { status: 400, body: { error: 'invalid_grant', error_description } }
          }
          session.token = `session-${++session.count}`
          return { body: { access_token: session.token, instance_url: INSTANCE } }
        },
      },
      'GET /services/data/v62.0/sobjects': { answer: () => ({ body: { sobjects: SOBJECTS } }) },
      'GET /services/data/v62.0/sobjects/{object}/describe': {
        answer: ({ params: { object = '' } }) => ({
          body: { name: object, fields: describeObject(object) },
        }),
      },
      'GET /services/data/v62.0/queryAll': {
        query: ['q'],
        answer(request) {
          queries.push(query(request, org))
          return page(queries, queries.length - 1, 0)
        },
      },
      'GET /services/data/v62.0/query/{locator}': {
        answer({ params: { locator = '' } }) {
          const [at, from] = locator.split('-').map(Number)
          return page(queries, at ?? -1, from ?? -1)
        },
      },
    },
    authorize({ headers, route }) {
      if (route.endsWith('/token')) return undefined
      if (headers.get('authorization') === `Bearer ${session.token}`) return undefined
      return problem(401, 'INVALID_SESSION_ID', 'Session expired or invalid')
    },
    rateLimits: [
      {
        answer: problem(403, 'REQUEST_LIMIT_EXCEEDED', 'ConcurrentPerOrgLongTxn Limit exceeded.'),
        seconds: 10,
      },
      { answer: problem(503, 'SERVER_UNAVAILABLE', 'The server is unavailable.'), seconds: 10 },
    ],
  }
}

export const salesforce: MockedConnector = {
  ...{ name: 'salesforce', config },
  badConfigs: [
    {
      title: 'wrong refresh token',
      config: { ...config, refresh_token: 'refresh-wrong' },
      codes: ['REAUTHORIZE'],
    },
  ],
  origins: [INSTANCE, 'https://login.salesforce.com', 'https://test.salesforce.com'],
  open: () => salesforceApi(),
}

function page(queries: JsonObject[][], at: number, from: number): MockAnswer {
  const rows = queries[at]
  if (!rows) return problem(400, 'INVALID_QUERY_LOCATOR', 'invalid query locator')
  const to = from + PAGE
  const next = to < rows.length ? { nextRecordsUrl: `/services/data/v62.0/query/${at}-${to}` } : {}
  const done = to >= rows.length
  return { body: { totalSize: rows.length, done, records: rows.slice(from, to), ...next } }
}

const MOMENT = String.raw`(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)`
const SOQL = new RegExp(
  String.raw`^SELECT ([\w,]+) FROM (\w+) WHERE SystemModstamp >= ${MOMENT} AND SystemModstamp <= ${MOMENT} ORDER BY SystemModstamp ASC$`,
)

/** The only query that the mock understands. Rows have what was asked for, and no more. */
function query({ query: parameters }: MockRequest, org: Org): JsonObject[] {
  const text = parameters.get('q') ?? ''
  const [, list = '', object = '', from = '', to = ''] = SOQL.exec(text) ?? []
  if (!list) throw new Error(`the query is ${text}`)
  const names = list.split(',')
  const known = describeObject(object)
  const wrong = names.filter(
    (name, at) => !known.some((field) => field.name === name) || names.indexOf(name) !== at,
  )
  if (wrong.length > 0) throw new Error(`${object} has no field ${wrong}, or it came twice`)
  const at = (row: JsonObject) => Date.parse(String(row.SystemModstamp))
  return org
    .rows(object)
    .filter((row) => at(row) >= Date.parse(from) && at(row) <= Date.parse(to))
    .sort((a, b) => at(a) - at(b))
    .map((row) => ({
      attributes: { type: object, url: `/services/data/v62.0/sobjects/${object}/${row.Id}` },
      ...Object.fromEntries(names.map((name) => [name, row[name] ?? null])),
    }))
}
