import type { JsonObject } from '../../../../src/protocol/index.ts'
import type { MockAnswer, MockRequest } from '../declarative/mock-api.ts'
import { pageAfter } from '../declarative/paging.ts'
import type { MockedConnector } from '../declarative/suite.ts'
import { notionDocument } from './document.ts'
import { Workspace } from './workspace.ts'

const TOKEN = 'secret_synthetic'
/** Fewer than asked for, so that few rows are several pages. */
const PAGE = 2

const config = (token: string) => ({
  credentials: { auth_type: 'token', token },
  start_date: '2026-01-01T00:00:00.000Z',
})

const problem = (status: number, code: string, message: string): MockAnswer => ({
  status,
  body: { object: 'error', status, code, message },
})

/** Notion with a synthetic workspace. */
export const notion: MockedConnector = {
  name: 'notion',
  config: config(TOKEN),
  badConfigs: [{ title: 'token', config: config('secret_wrong'), codes: ['AUTH_FAILED'] }],
  origins: ['https://api.notion.com'],
  document: notionDocument,
  open() {
    const workspace = new Workspace()
    const three = (add: () => void) => () => {
      for (let n = 0; n < 3; n++) add()
    }
    const searched = (kind: 'pages' | 'databases') => ({
      rows: () => workspace[kind].length,
      incremental: {
        again: true as const,
        grow: three(() => workspace.add(kind)),
        touch: () => workspace.edit(workspace[kind][0]),
      },
    })
    return {
      streams: {
        pages: searched('pages'),
        databases: searched('databases'),
        users: { rows: () => workspace.users.length },
        blocks: {
          rows: () => workspace.blocks().length,
          incremental: {
            again: true,
            grow: three(() => workspace.addBlock()),
            touch: () => workspace.editBlock(),
          },
        },
        nested_blocks: { rows: () => workspace.nestedBlocks().length },
        comments: { rows: () => [...workspace.comments.values()].flat().length },
      },
      routes: {
        'GET /v1/users': paged((request) => list(request, workspace.users)),
        'POST /v1/search': {
          body: ['filter', 'sort', 'start_cursor', 'page_size'],
          answer: (request) => search(request, workspace),
        },
        'GET /v1/blocks/{id}/children': paged((request) =>
          list(request, workspace.children.get(request.params.id ?? '') ?? []),
        ),
        'GET /v1/comments': paged(
          (request) =>
            list(request, workspace.comments.get(request.query.get('block_id') ?? '') ?? []),
          ['block_id'],
        ),
      },
      authorize({ headers }) {
        if (headers.get('notion-version') !== '2022-06-28') {
          return problem(400, 'missing_version', 'Notion-Version header should be defined.')
        }
        if (headers.get('authorization') === `Bearer ${TOKEN}`) return undefined
        return problem(401, 'unauthorized', 'API token is invalid.')
      },
      rateLimits: [
        {
          answer: {
            ...problem(429, 'rate_limited', 'You have been rate limited.'),
            headers: { 'retry-after': '7' },
          },
          seconds: 7,
        },
        { answer: problem(503, 'service_unavailable', 'Notion is unavailable.'), seconds: 10 },
      ],
    }
  },
}

const paged = (answer: (request: MockRequest) => MockAnswer, query: string[] = []) => ({
  query: [...query, 'start_cursor', 'page_size'],
  answer,
})

const list = ({ query }: MockRequest, rows: JsonObject[]) => page(rows, query.get('start_cursor'))

function page(rows: JsonObject[], cursor: string | null): MockAnswer {
  const { rows: results, hasMore } = pageAfter(rows, cursor, PAGE, ({ id }) => String(id))
  const next = hasMore ? (results.at(-1)?.id ?? null) : null
  return { body: { object: 'list', results, next_cursor: next, has_more: hasMore } }
}

function search({ body }: MockRequest, workspace: Workspace): MockAnswer {
  const { filter, sort, start_cursor: cursor } = body as Record<string, unknown>
  const { property, value } = filter as Record<string, string>
  const order = JSON.stringify(sort)
  if (order !== '{"timestamp":"last_edited_time","direction":"descending"}') {
    throw new Error(`the sort is ${order}`)
  }
  if (property !== 'object' || (value !== 'page' && value !== 'database')) {
    throw new Error(`the filter is ${property} ${value}`)
  }
  const rows = value === 'page' ? workspace.pages : workspace.databases
  const newestFirst = [...rows].sort((a, b) =>
    String(b.last_edited_time).localeCompare(String(a.last_edited_time)),
  )
  return page(newestFirst, cursor === undefined ? null : String(cursor))
}
