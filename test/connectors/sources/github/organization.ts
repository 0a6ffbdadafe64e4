import type { MockRequest, MockRoutes } from '../declarative/mock-api.ts'
import { linkedPages } from '../declarative/paging.ts'
import type { Row } from '../declarative/placed-rows.ts'
import type { MockedApi } from '../declarative/suite.ts'
import { NOT_FOUND, PAGE, PAGING } from './answers.ts'
import { DOCUMENT } from './document.ts'
import { personOf } from './lists.ts'
import { timeOf } from './rows.ts'

const ORGANIZATION = 'octo-org'
const three = (make: (n: number) => Row) => [0, 1, 2].map(make)

/** What stands under the organization of the mock. */
export function organizationOf(): Pick<MockedApi, 'routes' | 'streams'> {
  const people = three((n) => personOf(n, 9))
  const membersRoute = 'GET /orgs/{org}/teams/{team_slug}/members'
  const members = three((n) => personOf(n, 9, membersRoute))
  const teams = three((n) => ({
    ...DOCUMENT.sample('GET /orgs/{org}/teams', n),
    ...{ id: n, slug: `team-${n}` },
  }))
  const project = (n: number): Row => ({
    ...DOCUMENT.sample('GET /orgs/{org}/projectsV2', n),
    ...{ id: n, title: `Project ${n}`, updated_at: timeOf(0, n) },
  })
  const projects = three(project)
  const list = (rows: Row[], paging = PAGING) => ({
    query: paging,
    answer: (request: MockRequest) =>
      request.params.org === ORGANIZATION ? linkedPages(request, rows, PAGE) : NOT_FOUND,
  })
  const routes: MockRoutes = {
    'GET /orgs/{org}': {
      answer: ({ params }) =>
        params.org === ORGANIZATION
          ? { body: { ...DOCUMENT.sample('GET /orgs/{org}', 0), login: ORGANIZATION } }
          : NOT_FOUND,
    },
    'GET /orgs/{org}/members': list(people),
    'GET /orgs/{org}/teams': list(teams),
    [membersRoute]: list(members),
    'GET /orgs/{org}/teams/{team_slug}/memberships/{username}': {
      answer: ({ params }) => ({
        body: {
          ...DOCUMENT.sample('GET /orgs/{org}/teams/{team_slug}/memberships/{username}', 0),
          url: `https://api.github.com/${params.team_slug}/${params.username}`,
        },
      }),
    },
    'GET /orgs/{org}/projectsV2': {
      ...list(projects, ['per_page', 'after']),
      answer(request) {
        // Pages of projects are told by a cursor, which the Link header holds.
        const from = Number(request.query.get('after') ?? 0)
        const next = new URL(request.url)
        next.searchParams.set('after', String(from + PAGE))
        const body = projects.slice(from, from + PAGE)
        if (from + PAGE >= projects.length) return { body }
        return { body, headers: { link: `<${next.href}>; rel="next"` } }
      },
    },
  }
  return {
    routes,
    streams: {
      organizations: { rows: () => 1, onePage: true },
      users: { rows: () => people.length },
      teams: { rows: () => teams.length },
      team_members: { rows: () => teams.length * members.length },
      team_memberships: { rows: () => teams.length * members.length },
      projects_v2: {
        rows: () => projects.length,
        incremental: {
          again: true,
          grow: () => void projects.push(...[3, 4, 5].map(project)),
          touch: () =>
            void Object.assign(projects[0] as Row, { title: 'changed', updated_at: timeOf(0, 5) }),
        },
      },
    },
  }
}
