import { components } from '../../../../connectors/sources/jira/components.ts'
import type { JsonObject, JsonValue } from '../../../../src/protocol/index.ts'
import type { MockAnswer, MockRequest, MockRoutes } from '../declarative/mock-api.ts'
import type { MockedConnector, MockedStream } from '../declarative/suite.ts'
import { hourMs } from '../declarative/synthetic.ts'
import { LISTS } from './lists.ts'
import { Site } from './site.ts'

const HOST = 'https://acme.atlassian.net'
const TOKEN = 'synthetic-token'
/** Fewer than asked for, as Jira may, so that few rows are several pages. */
const PAGE = 2

const config = (token: string) => ({
  ...{ domain: 'acme.atlassian.net', email: 'agent@example.test', api_token: token },
  start_date: '2026-01-01T00:00:00Z',
})

/** What an issue has: the stream, the list in the answer, the last part of the path. */
const OF_ISSUES: [string, string, string][] = [
  ['issue_comments', 'comments', 'comment'],
  ['issue_worklogs', 'worklogs', 'worklog'],
  ['issue_changelogs', 'values', 'changelog'],
]

/** Jira with a synthetic site. */
export const jira: MockedConnector = {
  name: 'jira',
  config: config(TOKEN),
  badConfigs: [{ title: 'token', config: config('wrong-token'), codes: ['AUTH_FAILED'] }],
  origins: [HOST],
  components,
  open() {
    const site = new Site()
    const routes: MockRoutes = {}
    const streams: Record<string, MockedStream> = {}
    const three = (add: () => void) => () => {
      for (let n = 0; n < 3; n++) add()
    }
    routes['GET /rest/api/3/search/jql'] = {
      query: ['jql', 'fields', 'expand', 'maxResults', 'nextPageToken'],
      answer: (request) => searched(request, site.issues),
    }
    streams.issues = {
      rows: () => site.issues.length,
      incremental: {
        ...{ sends: 'jql', again: true },
        grow: three(() => site.addIssue()),
        touch: () => site.editIssue(),
      },
    }
    for (const [stream, list, path] of OF_ISSUES) {
      routes[`GET /rest/api/3/issue/{id}/${path}`] = {
        query: ['startAt', 'maxResults'],
        answer: (request) => page(request, site.ofIssue(stream, request.params.id ?? ''), list),
      }
      streams[stream] = {
        rows: () => site.issues.flatMap(({ id }) => site.ofIssue(stream, String(id))).length,
        incremental: {
          again: true,
          grow: three(() => site.addToIssue(stream)),
          ...(stream === 'issue_changelogs' ? {} : { touch: () => site.editInIssue(stream) }),
        },
      }
    }
    for (const { stream, path, list, paged, query = [] } of LISTS) {
      const rows = site.rows(stream)
      streams[stream] = { rows: () => rows.length, ...(paged ? {} : { onePage: true }) }
      routes[`GET /rest/api/3/${path}`] = {
        query: paged ? [...query, 'startAt', 'maxResults'] : query,
        answer: (request) =>
          paged ? page(request, rows, 'values') : { body: list ? { [list]: rows } : rows },
      }
    }
    addLooseLists(site, routes, streams)
    for (const kind of ['version', 'component']) {
      const stream = `project_${kind}s`
      const rows = site.rows(stream)
      streams[stream] = { rows: () => rows.length }
      routes[`GET /rest/api/3/project/{id}/${kind}`] = {
        query: ['startAt', 'maxResults'],
        // All of the first project.
        answer: (request) =>
          page(request, request.params.id === 'projects-0' ? rows : [], 'values'),
      }
    }
    addPeopleAndBoards(site, routes, streams)
    return {
      ...{ routes, streams },
      authorize: ({ headers }) =>
        headers.get('authorization') === `Basic ${btoa(`agent@example.test:${TOKEN}`)}`
          ? undefined
          : { status: 401, body: 'Client must be authenticated to access this resource.' },
      rateLimits: [
        { answer: { status: 429, headers: { 'retry-after': '17' }, body: {} }, seconds: 17 },
        { answer: { status: 503, body: 'busy' }, seconds: 10 },
      ],
    }
  },
}

/** Lists of a form that no other has: texts, an object by key, one list for each kind. */
function addLooseLists(
  site: Site,
  routes: MockRoutes,
  streams: Record<string, MockedStream>,
): void {
  const labels = ['blue', 'green', 'red']
  streams.labels = { rows: () => labels.length }
  routes['GET /rest/api/3/label'] = {
    query: ['startAt', 'maxResults'],
    answer: (request) => page(request, labels, 'values'),
  }
  const permissions = site.rows('permissions')
  streams.permissions = { rows: () => permissions.length, onePage: true }
  routes['GET /rest/api/3/permissions'] = {
    answer: () => ({
      body: { permissions: Object.fromEntries(permissions.map((row) => [row.key, row])) },
    }),
  }
  const avatars = site.rows('avatars').map(({ type: _, ...avatar }) => avatar)
  const kinds = ['issuetype', 'project', 'user', 'priority']
  streams.avatars = { rows: () => avatars.length * kinds.length, onePage: true }
  routes['GET /rest/api/3/avatar/{type}/system'] = {
    answer: ({ params }) =>
      kinds.includes(params.type ?? '')
        ? { body: { system: avatars } }
        : { status: 404, body: { errorMessages: ['no such type'] } },
  }
}

function addPeopleAndBoards(
  site: Site,
  routes: MockRoutes,
  streams: Record<string, MockedStream>,
): void {
  const users = site.rows('users', 60)
  streams.users = { rows: () => users.length }
  routes['GET /rest/api/3/users/search'] = {
    query: ['startAt', 'maxResults'],
    answer({ query }) {
      const from = Number(query.get('startAt') ?? 0)
      return { body: users.slice(from, from + Number(query.get('maxResults'))) }
    },
  }
  const boards: JsonObject[] = site.rows('boards').map((board, n) => ({
    ...board,
    type: n === 2 ? 'kanban' : 'scrum',
  }))
  streams.boards = { rows: () => boards.length }
  routes['GET /rest/agile/1.0/board'] = {
    query: ['startAt', 'maxResults'],
    answer: (request) => page(request, boards, 'values'),
  }
  const sprints = site.rows('sprints').map(({ boardId: _, ...sprint }) => sprint)
  streams.sprints = { rows: () => sprints.length * 2 }
  routes['GET /rest/agile/1.0/board/{id}/sprint'] = {
    query: ['startAt', 'maxResults'],
    answer(request) {
      if (boards.find(({ id }) => String(id) === request.params.id)?.type !== 'scrum') {
        return { status: 400, body: { errorMessages: ['The board does not support sprints'] } }
      }
      return page(request, sprints, 'values')
    },
  }
}

function page({ query }: MockRequest, rows: JsonValue[], list: string): MockAnswer {
  const startAt = Number(query.get('startAt') ?? 0)
  const found = rows.slice(startAt, startAt + PAGE)
  const isLast = startAt + PAGE >= rows.length
  // Comments and worklogs say how many there are, the others also which page is the last.
  const last = list === 'values' ? { isLast } : {}
  return { body: { [list]: found, startAt, maxResults: PAGE, total: rows.length, ...last } }
}

const JQL = /^updated >= (\d+) and updated <= (\d+) order by updated asc$/

function searched({ query }: MockRequest, issues: JsonObject[]): MockAnswer {
  const [, from, to] = JQL.exec(query.get('jql') ?? '') ?? []
  if (from === undefined || to === undefined) throw new Error(`jql is ${query.get('jql')}`)
  const moment = ({ fields }: JsonObject) => Date.parse(String((fields as JsonObject).updated))
  const rows = issues
    .filter((issue) => moment(issue) >= Number(from) && moment(issue) <= Number(to))
    .sort((a, b) => moment(a) - moment(b))
  if (Number(to) < hourMs(0)) throw new Error('the window ends before it begins')
  const at = Number(query.get('nextPageToken')?.slice(1) ?? 0)
  const more = at + PAGE < rows.length
  return {
    body: {
      issues: rows.slice(at, at + PAGE),
      ...(more ? { nextPageToken: `p${at + PAGE}`, isLast: false } : { isLast: true }),
    },
  }
}
