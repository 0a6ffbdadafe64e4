import type { MockRoute, MockRoutes } from '../declarative/mock-api.ts'
import { linkedPages } from '../declarative/paging.ts'
import { idOf, type Row } from '../declarative/placed-rows.ts'
import type { MockedApi, MockedConnector, MockedStream } from '../declarative/suite.ts'
import { NOW } from '../declarative/synthetic.ts'
import { NOT_FOUND, PAGE, PAGING, problem } from './answers.ts'
import { DOCUMENT } from './document.ts'
import { LISTS, openLists, routeOf } from './lists.ts'
import { nestedOf } from './nested.ts'
import { organizationOf } from './organization.ts'
import { placeOf, REPOSITORIES, timeOf } from './rows.ts'

const TOKEN = 'synthetic-token'

/** GitHub with synthetic repositories: an organization's and a person's. */
export const github: MockedConnector = {
  name: 'github',
  config: {
    credentials: { personal_access_token: TOKEN },
    repositories: ['octo-org/*', 'hello/world', 'octo-org/gamma'],
  },
  badConfigs: [
    {
      title: 'token',
      config: {
        credentials: { personal_access_token: 'a-wrong-token' },
        repositories: ['hello/world'],
      },
      codes: ['AUTH_FAILED'],
    },
    {
      title: 'repository',
      config: {
        credentials: { access_token: TOKEN },
        repositories: ['hello/nobody'],
      },
      codes: ['SOURCE_MISCONFIGURED'],
    },
  ],
  origins: ['https://api.github.com'],
  document: () => DOCUMENT,
  open,
}

function open(): MockedApi {
  const lists = openLists()
  const routes: MockRoutes = {}
  const streams: Record<string, MockedStream> = {}
  for (const [stream, list] of Object.entries(LISTS)) {
    const rows = lists[stream] as (typeof lists)[string]
    const refused = list.refused
    routes[routeOf(list.path)] = {
      query: [...PAGING, ...(list.query ?? [])],
      answer(request) {
        const place = placeOf(request)
        if (!REPOSITORIES.includes(place)) return NOT_FOUND
        if (refused?.repository === place) return problem(refused.status, refused.message)
        const found = rows
          .in(place)
          .filter((row) => fieldOf(row, list.since) >= (request.query.get('since') ?? ''))
        const { body, ...page } = linkedPages(request, sorted(found, list.sorted), PAGE)
        const [pointer] = list.at ?? []
        return pointer
          ? { ...page, body: { total_count: found.length, [pointer]: body } }
          : { ...page, body }
      },
    }
    streams[stream] = {
      rows: () => rows.count,
      ...(list.incremental
        ? {
            incremental: {
              ...(list.incremental === true ? {} : list.incremental),
              ...{ again: true, grow: rows.grow },
              ...(list.touches === undefined ? {} : { touch: () => rows.touch(list.touches) }),
            },
          }
        : {}),
    }
  }
  const contributors = openContributors()
  const nested = nestedOf(lists)
  const organization = organizationOf()
  const repositories = openRepositories()
  return {
    routes: {
      ...{ ...repositories.routes, ...organization.routes, ...routes, ...nested.routes },
      ...contributors.routes,
    },
    // The first one is read to see that limits are waited for: it has few requests.
    streams: {
      ...{ ...repositories.streams, ...organization.streams, ...streams, ...nested.streams },
      ...contributors.streams,
    },
    authorize({ headers }) {
      if (headers.get('user-agent') !== 'dotdo-airbyte') return problem(403, 'No User-Agent.')
      if (headers.get('x-github-api-version') !== '2022-11-28')
        return problem(400, 'Which version?')
      return headers.get('authorization') === `Bearer ${TOKEN}`
        ? undefined
        : problem(401, 'Bad credentials')
    },
    rateLimits: [
      {
        answer: {
          ...problem(403, 'You have exceeded a secondary rate limit. Please wait a few minutes.'),
          headers: { 'retry-after': '60' },
        },
        seconds: 60,
      },
      {
        answer: {
          ...problem(403, 'API rate limit exceeded for user ID 1.'),
          headers: {
            'x-ratelimit-remaining': '0',
            'x-ratelimit-reset': String(NOW / 1000 + 1800),
          },
        },
        seconds: 1800,
      },
      { answer: { ...problem(429, 'API rate limit exceeded.') }, seconds: 10 },
    ],
  }
}

function openRepositories(): Pick<MockedApi, 'routes' | 'streams'> {
  const one = 'GET /repos/{owner}/{repo}'
  const rows = REPOSITORIES.map((name, place) => nameIt(DOCUMENT.sample(one, place), name, place))
  const owned = 'GET /orgs/{org}/repos'
  const listed = REPOSITORIES.map((name, place) =>
    nameIt(DOCUMENT.sample(owned, place), name, place),
  )
  const list: MockRoute = {
    query: PAGING,
    answer: (request) => {
      const mine = listed.filter(({ full_name }) =>
        String(full_name).startsWith(`${request.params.org ?? request.params.username}/`),
      )
      return linkedPages(request, mine, PAGE)
    },
  }
  return {
    routes: {
      [one]: {
        answer: (request) => {
          const row = rows.find(({ full_name }) => full_name === placeOf(request))
          return row ? { body: row } : NOT_FOUND
        },
      },
      [owned]: list,
      'GET /users/{username}/repos': list,
      'GET /users/{username}': {
        answer: ({ params }) => ({
          body: {
            ...DOCUMENT.sample('GET /users/{username}', 0),
            login: params.username,
            type: params.username === 'octo-org' ? 'Organization' : 'User',
          },
        }),
      },
    },
    streams: {
      repositories: {
        rows: () => rows.length,
        incremental: {
          again: true,
          grow() {
            for (const n of [4, 5, 6]) {
              rows.push(nameIt(DOCUMENT.sample(one, n), `octo-org/new-${n}`, n))
              listed.push(nameIt(DOCUMENT.sample(owned, n), `octo-org/new-${n}`, n))
            }
          },
          touch() {
            Object.assign(rows[0] as Row, { description: 'changed', updated_at: timeOf(0, 5) })
          },
        },
      },
    },
  }
}

/** Not there at the first time of asking: GitHub has to compute them. */
function openContributors(): Pick<MockedApi, 'routes' | 'streams'> {
  const route = routeOf('stats/contributors')
  const computed = new Set<string>()
  return {
    routes: {
      [route]: {
        answer(request) {
          const place = placeOf(request)
          if (!computed.has(place)) {
            computed.add(place)
            return { status: 202, body: {} }
          }
          const { author, ...activity } = DOCUMENT.sample(route, 0)
          return { body: [{ ...activity, author: { ...(author as Row), id: 1 } }] }
        },
      },
    },
    streams: { contributor_activity: { rows: () => REPOSITORIES.length, onePage: true } },
  }
}

const nameIt = (row: Row, name: string, place: number): Row => {
  const { temp_clone_token: _, ...rest } = row
  return { ...rest, id: idOf(0, place), full_name: name, updated_at: timeOf(place, 0) }
}

/** A text field; a commit's date is where Git has it. */
function fieldOf(row: Row, field: string | undefined): string {
  if (field === 'date') {
    const { author, committer } = row.commit as Record<string, Row | null>
    return String((committer ?? author)?.date)
  }
  return field === undefined ? '' : String(row[field])
}

function sorted(rows: Row[], order: [string, 'asc' | 'desc'] | undefined): Row[] {
  if (!order) return rows
  const [field, direction] = order
  const sign = direction === 'asc' ? 1 : -1
  return rows.sort((a, b) => (fieldOf(a, field) < fieldOf(b, field) ? -sign : sign))
}
