import { components } from '../../../../connectors/sources/jira/components.ts'
import type { MockRoutes } from '../declarative/mock-api.ts'
import type { MockedApi, MockedConnector, MockedStream } from '../declarative/suite.ts'
import { type Expands, expanded, PAGING, page, searched } from './answers.ts'
import { addBoards } from './boards.ts'
import { LISTS } from './lists.ts'
import { addParts } from './parts.ts'
import { Site } from './site.ts'

const HOST = 'https://acme.atlassian.net'
const TOKEN = 'synthetic-token'

const config = (token: string) => ({
  ...{ domain: 'acme.atlassian.net', email: 'agent@example.test', api_token: token },
  start_date: '2026-01-01T00:00:00Z',
})

/** What an issue has: the stream, the list in the answer, the last part of the path. */
const OF_ISSUES: [string, string, string, Expands?][] = [
  ['issue_comments', 'comments', 'comment', { renderedBody: 'renderedBody' }],
  ['issue_worklogs', 'worklogs', 'worklog', { properties: 'properties' }],
  ['issue_changelogs', 'values', 'changelog'],
]

/** Jira with a synthetic site. */
export const jira: MockedConnector = {
  name: 'jira',
  config: config(TOKEN),
  badConfigs: [{ title: 'token', config: config('wrong-token'), codes: ['AUTH_FAILED'] }],
  origins: [HOST],
  components,
  open: () => jiraOf(new Site()),
}

/** The API of one site. */
export function jiraOf(site: Site): MockedApi {
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
      grow: () => site.addIssues(),
      touch: () => site.editIssue(),
    },
  }
  for (const [stream, list, path, expands] of OF_ISSUES) {
    routes[`GET /rest/api/3/issue/{id}/${path}`] = {
      query: [...PAGING, ...(expands ? ['expand'] : [])],
      answer(request) {
        const parts = site.ofIssue(stream, request.params.id ?? '')
        return page(request, expanded(request, parts, expands ?? {}), list)
      },
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
  for (const { stream, path, list, paged, expands } of LISTS) {
    const all = site.rows(stream)
    streams[stream] = { rows: () => all.length, ...(paged ? {} : { onePage: true }) }
    routes[`GET /rest/api/3/${path}`] = {
      query: [...(expands ? ['expand'] : []), ...(paged ? PAGING : [])],
      answer(request) {
        const rows = expanded(request, all, expands ?? {})
        return paged ? page(request, rows) : { body: list ? { [list]: rows } : rows }
      },
    }
  }
  addLooseLists(site, routes, streams)
  addParts(site, { routes, streams })
  addBoards(site, { routes, streams })
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
    query: PAGING,
    answer: (request) => page(request, labels),
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
