import type { JsonObject } from '../../../../src/protocol/index.ts'
import type { MockAnswer, MockRequest } from '../declarative/mock-api.ts'
import type { MockedApi } from '../declarative/suite.ts'
import { type Expands, expanded, expandsOf, PAGING, page } from './answers.ts'
import type { Site } from './site.ts'

/** What is looked up for one thing after the other. */
interface SitePart {
  stream: string
  path: string
  /** Fields that the connector adds. */
  added: string[]
  /** What the first path of parents has; all others have none. Without it, each has one row. */
  first?: Record<string, string>
  /** Asking for any other is a mistake, by the parameter's values. */
  only?: Record<string, string[]>
  paged?: true
  list?: string
  expands?: Expands
}

const PARTS: SitePart[] = [
  {
    ...{ stream: 'filter_sharing', path: 'filter/{filterId}/permission' },
    ...{ added: ['filterId'], first: { filterId: 'filters-0' } },
  },
  {
    ...{ stream: 'issue_custom_field_contexts', path: 'field/{fieldId}/context', paged: true },
    ...{ added: ['fieldId'], first: { fieldId: 'issue_fields-0' } },
    only: { fieldId: ['issue_fields-0', 'issue_fields-2'] },
  },
  {
    stream: 'issue_custom_field_options',
    ...{ path: 'field/{fieldId}/context/{contextId}/option', paged: true },
    added: ['fieldId', 'contextId'],
    first: { contextId: 'issue_custom_field_contexts-0' },
    only: { fieldId: ['issue_fields-0'] },
  },
  {
    ...{ stream: 'project_versions', path: 'project/{projectId}/version', paged: true },
    ...{ added: [], first: { projectId: 'projects-0' } },
    expands: {
      ...expandsOf('operations', 'driver', 'approvers'),
      issuesstatus: 'issuesStatusForFixVersion',
    },
  },
  {
    ...{ stream: 'project_components', path: 'project/{projectId}/component', paged: true },
    ...{ added: [], first: { projectId: 'projects-0' } },
  },
  { stream: 'project_email', path: 'project/{projectId}/email', added: ['projectId'] },
  {
    ...{ stream: 'project_permission_schemes', path: 'project/{projectId}/permissionscheme' },
    ...{ added: ['projectId'], expands: { all: 'permissions' } },
  },
  {
    ...{ stream: 'screen_tabs', path: 'screens/{screenId}/tabs' },
    ...{ added: ['screenId'], first: { screenId: '1' } },
  },
  {
    ...{ stream: 'screen_tab_fields', path: 'screens/{screenId}/tabs/{tabId}/fields' },
    ...{ added: ['screenId', 'tabId'], first: { screenId: '1', tabId: '2' } },
  },
  {
    ...{ stream: 'issue_remote_links', path: 'issue/{issueId}/remotelink' },
    ...{ added: ['issueId'], first: { issueId: '10000' } },
  },
  {
    ...{ stream: 'issue_transitions', path: 'issue/{issueId}/transitions' },
    expands: { 'transitions.fields': 'fields' },
    ...{ added: ['issueId'], first: { issueId: '10001' }, list: 'transitions' },
  },
]
/** In each list one is looked at for its parts, and there are three of each list. */
const PARENTS = 3

type Opened = Pick<MockedApi, 'routes' | 'streams'>

export function addParts(site: Site, { routes, streams }: Opened): void {
  for (const { stream, path, added, first, only = {}, expands, ...form } of PARTS) {
    const all = site.rows(stream, PARENTS).map((row) => without(row, added))
    streams[stream] = { rows: () => all.length, ...(form.paged ? {} : { onePage: true }) }
    routes[`GET /rest/api/3/${path}`] = {
      query: [...(expands ? ['expand'] : []), ...(form.paged ? PAGING : [])],
      answer(request) {
        const rows = expanded(request, all, expands ?? {})
        for (const [name, values] of Object.entries(only)) {
          if (!values.includes(request.params[name] ?? '')) throw new Error(`why ask for ${name}?`)
        }
        if (!first) return { body: rows[numberIn(Object.values(request.params)[0])] ?? null }
        const isFirst = Object.entries(first).every(([name, id]) => request.params[name] === id)
        const found = isFirst ? rows : []
        if (form.paged) return page(request, found)
        return { body: form.list ? { [form.list]: found } : found }
      },
    }
  }
  addAvatars(site, { routes, streams })
  addVotes(site, { routes, streams })
  addProperties(site, { routes, streams })
  addPeople(site, { routes, streams })
}

function addAvatars(site: Site, { routes, streams }: Opened): void {
  const [own, ...system] = site.rows('project_avatars').map((row) => without(row, ['projectId']))
  // The system's are the same for each project.
  streams.project_avatars = { rows: () => PARENTS * 3, onePage: true }
  routes['GET /rest/api/3/project/{projectId}/avatars'] = {
    answer: () => ({ body: { system, custom: [own] } }),
  }
}

/** Votes and watchers, of the issues that have some. */
function addVotes(site: Site, { routes, streams }: Opened): void {
  for (const [stream, path, field, count] of [
    ['issue_votes', 'votes', 'votes', 'votes'],
    ['issue_watchers', 'watchers', 'watches', 'watchCount'],
  ] as const) {
    const [row = {}] = site.rows(stream).map((some) => without(some, ['issueId']))
    const counted = (issue: JsonObject) =>
      Number(((issue.fields as JsonObject)[field] as JsonObject)[count])
    streams[stream] = {
      rows: () => site.issues.filter((issue) => counted(issue) > 0).length,
      onePage: true,
    }
    routes[`GET /rest/api/3/issue/{id}/${path}`] = {
      answer({ params }) {
        const issue = site.issues.find(({ id }) => id === params.id)
        return issue ? { body: { ...row, [count]: counted(issue) } } : { status: 404 }
      },
    }
  }
}

/** Of the first issue, under keys that have to be escaped. */
function addProperties(site: Site, { routes, streams }: Opened): void {
  const properties = new Map(
    site
      .rows('issue_properties')
      .map((row, n) => [
        `a/key: ${n}?`,
        { ...without(row, ['issueId']), key: `a/key: ${n}?` } as JsonObject,
      ]),
  )
  streams.issue_properties = { rows: () => properties.size, onePage: true }
  routes['GET /rest/api/3/issue/{id}/properties'] = {
    answer: ({ params }) => ({
      body: { keys: params.id === '10000' ? [...properties.keys()].map((key) => ({ key })) : [] },
    }),
  }
  routes['GET /rest/api/3/issue/{id}/properties/{key}'] = {
    answer: ({ params }) => one(properties.get(params.key ?? '')),
  }
}

function addPeople(site: Site, { routes, streams }: Opened): void {
  const detailed = site.rows('users_groups_detailed', 51)
  const details = expandsOf('groups', 'applicationRoles')
  const users = detailed.map((user) => without(user, Object.keys(details)))
  streams.users = { rows: () => users.length }
  routes['GET /rest/api/3/users/search'] = {
    query: PAGING,
    answer({ query }) {
      const from = Number(query.get('startAt') ?? 0)
      return { body: users.slice(from, from + Number(query.get('maxResults'))) }
    },
  }
  streams.users_groups_detailed = { rows: () => users.length, onePage: true }
  routes['GET /rest/api/3/user'] = {
    query: ['accountId', 'expand'],
    answer(request) {
      const found = detailed.filter((user) => user.accountId === request.query.get('accountId'))
      return one(expanded(request, found, details)[0])
    },
  }
  const members = site.rows('group_members').map((row) => without(row, ['groupId']))
  streams.group_members = { rows: () => members.length }
  routes['GET /rest/api/3/group/member'] = {
    query: [...PAGING, 'groupId', 'includeInactiveUsers'],
    answer: (request: MockRequest) =>
      page(request, request.query.get('groupId') === 'groups-1' ? members : []),
  }
}

const one = (row: JsonObject | undefined): MockAnswer => (row ? { body: row } : { status: 404 })
const numberIn = (id = ''): number => Number(/\d+$/.exec(id)?.[0])

function without(row: JsonObject, names: string[]): JsonObject {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)))
}
