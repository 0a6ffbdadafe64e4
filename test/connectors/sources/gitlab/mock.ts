import type { MockRoutes } from '../declarative/mock-api.ts'
import { linkedPages } from '../declarative/paging.ts'
import { ChildRows, hourOf, idOf, PlacedRows, type Row } from '../declarative/placed-rows.ts'
import type { MockedApi, MockedConnector, MockedStream } from '../declarative/suite.ts'
import { NOW } from '../declarative/synthetic.ts'
import * as make from './entities.ts'
import {
  FORBIDDEN,
  GROUP_IDS,
  GROUPS,
  NOT_FOUND,
  PAGE,
  PAGING,
  PROJECT_IDS,
  PROJECTS,
  placeRoutes,
} from './places.ts'
import { HOST, stamp } from './values.ts'

const TOKEN = 'synthetic-token'
const BY_UPDATE = ['order_by', 'sort', 'updated_after']

/** An instance of GitLab with synthetic groups and projects. */
export const gitlab: MockedConnector = {
  name: 'gitlab',
  config: {
    credentials: { auth_type: 'access_token', access_token: TOKEN },
    groups_list: ['octo'],
    projects_list: ['else/where', 'octo/alpha'],
    api_url: 'gitlab.example.test',
  },
  badConfigs: [
    {
      title: 'token',
      config: {
        credentials: { auth_type: 'access_token', access_token: 'a-wrong-token' },
        projects_list: ['else/where'],
        api_url: 'https://gitlab.example.test/',
      },
      codes: ['AUTH_FAILED'],
    },
    {
      title: 'project',
      config: {
        credentials: { auth_type: 'access_token', access_token: TOKEN },
        projects_list: ['else/nowhere'],
        api_url: 'gitlab.example.test',
      },
      codes: ['SOURCE_MISCONFIGURED'],
    },
  ],
  origins: [HOST],
  open,
}

function open(): MockedApi {
  const routes: MockRoutes = { ...placeRoutes() }
  const streams: Record<string, MockedStream> = {
    groups: { rows: () => GROUPS.length },
    projects: { rows: () => PROJECTS.length },
  }

  /** A list under each project or group. */
  function serve(stream: string, path: string, rows: PlacedRows, options: ListOptions = {}): void {
    const { query = [], since, field = 'updated_at', incremental } = options
    routes[`GET /api/v4/${path}`] = {
      query: [...PAGING, ...query],
      answer(request) {
        const place = request.params.id ?? ''
        if (!rows.places.includes(place)) return FORBIDDEN
        const from = Date.parse((since && request.query.get(since)) || '1970-01-01')
        const found = rows.in(place).filter((row) => Date.parse(String(row[field])) >= from)
        if (!since) return linkedPages(request, rows.in(place), PAGE)
        // Merge requests and issues are asked for the oldest first, commits come the newest first.
        return linkedPages(request, query.includes('sort') ? found : found.reverse(), PAGE)
      },
    }
    streams[stream] = {
      rows: () => rows.count,
      ...(incremental
        ? {
            incremental: {
              ...{ again: true, sends: since, grow: rows.grow },
              ...(incremental === 'updates' ? { touch: () => rows.touch() } : {}),
            },
          }
        : {}),
    }
  }

  const project = (
    build: (n: number, id: number, at: number, place: number) => Row,
    without: string[] = [],
  ) =>
    new PlacedRows(
      PROJECT_IDS.filter((id) => !without.includes(id)),
      (n, place) => build(n, idOf(n, place), hourOf(n, place), place),
      (row, n, place) =>
        void Object.assign(row, {
          ...('title' in row ? { title: 'changed' } : { status: 'changed' }),
          updated_at: stamp(hourOf(n, place)),
        }),
    )
  const group = (build: (n: number, id: number, at: number) => Row, places = GROUP_IDS) =>
    new PlacedRows(
      places,
      (n, place) => ({ ...build(n, idOf(n, place), hourOf(n, place)), group_id: place + 1 }),
      (row, n, place) =>
        void Object.assign(row, { title: 'changed', updated_at: stamp(hourOf(n, place)) }),
    )
  const updates = {
    ...{ query: BY_UPDATE, since: 'updated_after' },
    incremental: 'updates' as const,
  }
  const milestones = { ...updates, query: ['updated_after'] }

  serve('group_members', 'groups/{id}/members', group(make.member))
  serve('group_labels', 'groups/{id}/labels', group(make.label), {
    query: ['with_counts', 'include_ancestor_groups'],
  })
  serve('group_milestones', 'groups/{id}/milestones', group(make.milestone), milestones)
  serve('group_issue_boards', 'groups/{id}/boards', group(make.board))
  // A group whose plan has no epics.
  const epics = group(make.epic, GROUP_IDS.slice(0, 3))
  serve('epics', 'groups/{id}/epics', epics, {
    ...{ ...updates, query: [...BY_UPDATE, 'include_descendant_groups'] },
  })
  serve('project_members', 'projects/{id}/members', project(make.member))
  serve(
    'users',
    'projects/{id}/users',
    project((n, id) => ({ ...make.user(n), id })),
  )
  serve(
    'project_labels',
    'projects/{id}/labels',
    project((n, id) => ({ ...make.label(n, id), priority: n || null, is_project_label: true })),
    { query: ['with_counts'] },
  )
  serve(
    'project_milestones',
    'projects/{id}/milestones',
    project((n, id, at, place) => ({ ...make.milestone(n, id, at), project_id: place + 11 })),
    milestones,
  )
  serve('branches', 'projects/{id}/repository/branches', project(make.branch))
  serve('tags', 'projects/{id}/repository/tags', project(make.tag))
  serve(
    'commits',
    'projects/{id}/repository/commits',
    project((n, id, at) => ({ ...make.commit(n, `${id}`, at), stats: { total: n } })),
    {
      ...{ query: ['all', 'with_stats', 'since'], since: 'since', field: 'created_at' },
      incremental: 'creates',
    },
  )
  serve('releases', 'projects/{id}/releases', project(make.release))
  const issues = project(make.issue, ['13'])
  const merges = project(make.mergeRequest)
  const pipelines = project(make.pipeline)
  serve('issues', 'projects/{id}/issues', issues, { ...updates, query: [...BY_UPDATE, 'scope'] })
  serve('merge_requests', 'projects/{id}/merge_requests', merges, {
    ...{ ...updates, query: [...BY_UPDATE, 'scope', 'state'] },
  })
  serve('pipelines', 'projects/{id}/pipelines', pipelines, updates)
  serve('deployments', 'projects/{id}/deployments', project(make.deployment), updates)
  serve('environments', 'projects/{id}/environments', project(make.environment))

  /** A list under each row of another. */
  function under(
    stream: string,
    path: string,
    parents: PlacedRows,
    key: string,
    child: (n: number, number: number) => Row,
    { query = [], captures }: { query?: string[]; captures?: 'creates' | 'updates' } = {},
  ): void {
    const children = new ChildRows(parents, key, child)
    const [, open = ''] = /.*\{(\w+)\}/.exec(path) ?? []
    routes[`GET /api/v4/${path}`] = {
      query: [...PAGING, ...query],
      answer(request) {
        const rows = children.find(request.params.id ?? '', request.params[open])
        return rows ? linkedPages(request, rows, PAGE) : NOT_FOUND
      },
    }
    streams[stream] = {
      rows: () => children.count,
      ...(captures
        ? {
            incremental: {
              ...{ again: true, grow: parents.grow },
              // GitLab moves the parent's time when a child changes.
              ...(captures === 'updates'
                ? {
                    touch() {
                      Object.assign(children.newest(), { body: 'changed', status: 'changed' })
                    },
                  }
                : {}),
            },
          }
        : {}),
    }
  }
  under('epic_issues', 'groups/{id}/epics/{iid}/issues', epics, 'iid', (n, number) => ({
    ...{ ...make.issue(n, number, n), epic_issue_id: number },
    relative_position: n || null,
  }))
  const note = (n: number, number: number) => make.note(n, number, n)
  under('issue_notes', 'projects/{id}/issues/{iid}/notes', issues, 'iid', note, {
    captures: 'updates',
  })
  under('merge_request_notes', 'projects/{id}/merge_requests/{iid}/notes', merges, 'iid', note, {
    captures: 'updates',
  })
  under(
    'merge_request_commits',
    'projects/{id}/merge_requests/{iid}/commits',
    merges,
    'iid',
    (n, number) => make.commit(n, `merge ${number}`, n),
    { captures: 'creates' },
  )
  under(
    'jobs',
    'projects/{id}/pipelines/{pipeline_id}/jobs',
    pipelines,
    'id',
    (n, number) => make.job(n, number, n),
    { query: ['include_retried'], captures: 'updates' },
  )
  routes['GET /api/v4/projects/{id}/pipelines/{pipeline_id}'] = {
    answer({ params }) {
      const found = pipelines
        .in(params.id ?? '')
        .find(({ id }) => String(id) === params.pipeline_id)
      const n = Number(found?.iid) - 1
      return found ? { body: { ...found, ...make.pipelineDetails(n, n) } } : NOT_FOUND
    },
  }
  streams.pipelines_extended = {
    rows: () => pipelines.count,
    incremental: { again: true, grow: pipelines.grow, touch: () => pipelines.touch() },
  }

  routes['POST /oauth/token'] = {
    body: ['grant_type', 'client_id', 'client_secret', 'refresh_token'],
    answer: ({ body }) =>
      body.refresh_token === 'used-once' && body.client_secret === 'synthetic-secret'
        ? { body: { access_token: TOKEN, refresh_token: 'the-next', expires_in: 7200 } }
        : { status: 400, body: { error: 'invalid_grant' } },
  }

  return {
    routes,
    streams,
    authorize: ({ headers, route }) =>
      headers.get('authorization') === `Bearer ${TOKEN}` || route === 'POST /oauth/token'
        ? undefined
        : { status: 401, body: { message: '401 Unauthorized' } },
    rateLimits: [
      {
        answer: { status: 429, headers: { 'retry-after': '42' }, body: 'Retry later' },
        seconds: 42,
      },
      {
        answer: {
          ...{ status: 429, body: 'Retry later' },
          headers: { 'ratelimit-reset': String(NOW / 1000 + 50), 'ratelimit-remaining': '0' },
        },
        seconds: 50,
      },
    ],
  }
}

interface ListOptions {
  query?: string[]
  /** The parameter and the field that it compares. */
  since?: string
  field?: string
  incremental?: 'creates' | 'updates'
}
