import { components } from '../../../../connectors/sources/google-sheets/components.ts'
import type { MockAnswer, MockRequest } from '../declarative/mock-api.ts'
import { openApiExcerpt } from '../declarative/openapi-json.ts'
import type { MockedConnector } from '../declarative/suite.ts'

const ID = '1synthetic-spreadsheet-id'
const TOKEN = 'ya29.synthetic'

/** Sheets by title; the first row names the columns. Synthetic. */
const SHEETS: Record<string, unknown[][]> = {
  People: [
    ['name', 'age', 'joined'],
    ...[1, 2, 3, 4, 5].map((n) => [`Person ${n}`, 20.5 + n, `2026-01-0${n}`]),
  ],
  // A name that has to be quoted, a column without a name, one twice, empty rows in the middle.
  "Q1 'plan'": [
    ['item', '', 'price', 'item'],
    ['chair', 'x', 10, 'y'],
    [],
    [],
    ['', '', '', ''],
    ['table', '', 99.95],
    ['lamp'],
  ],
}

const config = (refresh: string) => ({
  spreadsheet_id: `https://docs.google.com/spreadsheets/d/${ID}/edit#gid=0`,
  batch_size: 2,
  credentials: {
    ...{ auth_type: 'Client', client_id: 'client-synthetic', client_secret: 'secret-synthetic' },
    refresh_token: refresh,
  },
})

const problem = (code: number, status: string, message: string): MockAnswer => ({
  status: code,
  body: { error: { code, message, status } },
})

/** Google Sheets with a synthetic spreadsheet, and Google's token endpoint. */
export const googleSheets: MockedConnector = {
  name: 'google-sheets',
  components,
  config: config('refresh-synthetic'),
  badConfigs: [{ title: 'token', config: config('refresh-wrong'), codes: ['REAUTHORIZE'] }],
  origins: ['https://sheets.googleapis.com', 'https://oauth2.googleapis.com'],
  document: () => openApiExcerpt('google-sheets', /^\/token$/),
  open: () => ({
    streams: { People: { rows: () => 5 }, "Q1 'plan'": { rows: () => 3 } },
    routes: {
      'POST /token': {
        givesTokens: true,
        body: ['grant_type', 'client_id', 'client_secret', 'refresh_token'],
        answer: ({ body }) =>
          body.refresh_token === 'refresh-synthetic'
            ? { body: { access_token: TOKEN, expires_in: 3599, token_type: 'Bearer' } }
            : { status: 400, body: { error: 'invalid_grant' } },
      },
      'GET /v4/spreadsheets/{id}': {
        query: ['fields'],
        answer: () => ({
          body: {
            sheets: [
              ...Object.keys(SHEETS).map((title) => ({ properties: { title, sheetType: 'GRID' } })),
              { properties: { title: 'A chart', sheetType: 'OBJECT' } },
            ],
          },
        }),
      },
      'GET /v4/spreadsheets/{id}/values:batchGet': {
        query: ['ranges', 'valueRenderOption', 'dateTimeRenderOption'],
        answer: valuesOf,
      },
    },
    authorize: ({ headers, url }) =>
      url.pathname === '/token' || headers.get('authorization') === `Bearer ${TOKEN}`
        ? undefined
        : problem(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.'),
    rateLimits: [
      {
        answer: problem(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded for quota metric'),
        seconds: 10,
      },
      { answer: problem(503, 'UNAVAILABLE', 'The service is currently unavailable.'), seconds: 10 },
    ],
  }),
}

/** Ranges as A1 notation; what lies beyond the grid is cut off, a range wholly beyond it refused. */
function valuesOf({ query, params }: MockRequest): MockAnswer {
  if (params.id !== ID) return problem(404, 'NOT_FOUND', 'Requested entity was not found.')
  const valueRanges = []
  for (const range of query.getAll('ranges')) {
    const [, quoted = '', from, to] = /^'((?:[^']|'')*)'!(\d+):(\d+)$/.exec(range) ?? []
    const rows = SHEETS[quoted.replaceAll("''", "'")]
    if (!rows) return problem(400, 'INVALID_ARGUMENT', `Unable to parse range: ${range}`)
    if (Number(from) > rows.length) {
      const message = `Range (${range}) exceeds grid limits. Max rows: ${rows.length}`
      return problem(400, 'INVALID_ARGUMENT', message)
    }
    const end = Math.min(Number(to), rows.length)
    const values = withoutEmptyEnd(rows.slice(Number(from) - 1, end))
    valueRanges.push({
      range: `'${quoted}'!A${from}:D${end}`,
      majorDimension: 'ROWS',
      ...(values.length > 0 ? { values } : {}),
    })
  }
  return { body: { spreadsheetId: ID, valueRanges } }
}

/** The API leaves out empty rows at the end of a range. */
function withoutEmptyEnd(rows: unknown[][]): unknown[][] {
  const last = rows.findLastIndex((row) => row.some((cell) => cell !== ''))
  return rows.slice(0, last + 1)
}
