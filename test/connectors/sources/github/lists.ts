import { idOf, type PlacedRows, type Row } from '../declarative/placed-rows.ts'
import type { MockedStream } from '../declarative/suite.ts'
import { digest } from '../declarative/synthetic.ts'
import { DOCUMENT } from './document.ts'
import { documentedRows, REPOSITORIES, type RowOptions } from './rows.ts'

/** A list under `/repos/{owner}/{repo}`. */
interface List extends RowOptions {
  path: string
  query?: string[]
  /** The field that the list is sorted by, and which way. */
  sorted?: [field: string, direction: 'asc' | 'desc']
  /** The field that `since` compares. */
  since?: string
  incremental?: Partial<NonNullable<MockedStream['incremental']>> | true
  /** The row that GitHub changes, if it ever changes one. */
  touches?: number
  /** What GitHub answers for a repository without the list. */
  refused?: { repository: string; status: number; message: string }
}

const id = (n: number, _time: string, place: number): Row => ({ id: idOf(n, place) })
const updated = (n: number, time: string, place: number): Row => ({
  ...{ id: idOf(n, place), created_at: time, updated_at: time },
})
const created = (n: number, time: string, place: number): Row => ({
  ...{ id: idOf(n, place), created_at: time },
})

/** A change of a row, which moves the time of its last change where it has one. */
const changes =
  (field: string) =>
  (row: Row, time: string): void => {
    row[field] = 'changed'
    if ('updated_at' in row) row.updated_at = time
  }

const HTML = ['body_html', 'body_text']
const SINCE = { since: 'updated_at', sorted: ['updated_at', 'asc'] as [string, 'asc'] }
const SORTS = ['sort', 'direction', 'since']

export const LISTS: Record<string, List> = {
  assignees: { path: 'assignees', make: id, omit: ['starred_at'] },
  collaborators: {
    ...{ path: 'collaborators', query: ['affiliation'], make: id },
    refused: {
      ...{ repository: 'hello/world', status: 403 },
      message: 'Must have push access to view repository collaborators.',
    },
  },
  branches: { path: 'branches', make: (n) => ({ name: `branch-${n}` }) },
  tags: { path: 'tags', make: (n) => ({ name: `v1.${n}` }) },
  commits: {
    ...{ path: 'commits', query: ['since'], since: 'date', sorted: ['date', 'desc'] },
    make: (n, date, place, row) => ({
      sha: digest(`${place} ${n}`),
      commit: commitOf(row, n, date),
    }),
    incremental: { sends: 'since', again: true },
    refused: { repository: 'octo-org/gamma', status: 409, message: 'Git Repository is empty.' },
  },
  commit_comments: {
    ...{ path: 'comments', make: updated, edit: changes('body'), incremental: true, touches: 0 },
  },
  issues: {
    ...{ path: 'issues', query: ['state', ...SORTS], ...SINCE, omit: [...HTML, 'repository'] },
    make: (n, time, place) => ({ ...updated(n, time, place), number: n + 1 }),
    ...{ edit: changes('title'), incremental: { sends: 'since' }, touches: 0 },
    refused: { repository: 'octo-org/gamma', status: 410, message: 'Issues has been disabled.' },
  },
  comments: {
    ...{ path: 'issues/comments', query: SORTS, ...SINCE, omit: HTML, make: updated },
    ...{ edit: changes('body'), incremental: { sends: 'since' }, touches: 0 },
  },
  issue_events: {
    ...{ path: 'issues/events', sorted: ['created_at', 'desc'], make: created, incremental: true },
  },
  issue_labels: { path: 'labels', make: id },
  issue_milestones: {
    ...{ path: 'milestones', query: ['state'], make: updated, edit: changes('title') },
    ...{ incremental: true, touches: 0 },
  },
  pull_requests: {
    ...{ path: 'pulls', query: ['state', 'sort', 'direction'], sorted: ['updated_at', 'desc'] },
    make: (n, time, place) => ({ ...updated(n, time, place), number: n + 1 }),
    ...{ edit: changes('title'), incremental: true, touches: 0 },
  },
  review_comments: {
    ...{ path: 'pulls/comments', query: SORTS, ...SINCE, omit: HTML, make: updated },
    ...{ edit: changes('body'), incremental: { sends: 'since' }, touches: 0 },
  },
  releases: {
    ...{ path: 'releases', omit: HTML, make: created, edit: changes('name') },
    ...{ incremental: true, touches: 0 },
  },
  // The document lets a list hold users instead: so it is for clients that ask for no times.
  stargazers: {
    ...{ path: 'stargazers', whole: true },
    make: (n, time, place) => ({ starred_at: time, user: personOf(n, place) }),
    incremental: true,
  },
  forks: {
    ...{ path: 'forks', query: ['sort'], sorted: ['created_at', 'desc'], make: created },
    ...{ omit: ['temp_clone_token'], edit: changes('description'), incremental: true, touches: 0 },
  },
  events: {
    path: 'events',
    sorted: ['created_at', 'desc'],
    make: (n, time, place) => ({ id: String(idOf(n, place)), created_at: time }),
    incremental: true,
  },
  deployments: {
    ...{ path: 'deployments', make: updated, edit: changes('description') },
    ...{ incremental: true, touches: 0 },
  },
  workflows: {
    ...{ path: 'actions/workflows', at: ['workflows'], make: updated, edit: changes('name') },
    ...{ incremental: true, touches: 0 },
  },
  // The second row is of the last 30 days.
  workflow_runs: {
    ...{ path: 'actions/runs', at: ['workflow_runs'], sorted: ['created_at', 'desc'] },
    ...{ make: updated, edit: changes('status'), incremental: true, touches: 1 },
  },
}

export const routeOf = (path: string): string => `GET /repos/{owner}/{repo}/${path}`

/** The rows of each list as they are at first. */
export function openLists(): Record<string, PlacedRows> {
  return Object.fromEntries(
    Object.entries(LISTS).map(([stream, list]) => {
      const { refused } = list
      const places = REPOSITORIES.filter((name) => name !== refused?.repository)
      return [stream, documentedRows(routeOf(list.path), list, places)]
    }),
  )
}

/** The committer is unknown in every other commit; the author is always there. */
function commitOf(row: Row, n: number, date: string): Row {
  const commit = row.commit as Row
  const person = { name: `Person ${n}`, email: `person-${n}@example.test`, date }
  return { ...commit, author: person, committer: commit.committer && person }
}

export function personOf(n: number, place: number, route = 'GET /orgs/{org}/members'): Row {
  const { starred_at: _, ...person } = DOCUMENT.sample(route, n)
  return { ...person, id: idOf(n, place), login: `person-${place}-${n}` }
}
