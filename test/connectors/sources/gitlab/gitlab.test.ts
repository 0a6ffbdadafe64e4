import { expect, it } from 'vitest'
import { declarativeConformance, readMocked } from '../declarative/suite.ts'
import { gitlab } from './mock.ts'

declarativeConformance(gitlab)

it('fetches a token with the refresh token of an OAuth application', async () => {
  const { records, paths } = await readMocked(gitlab, {
    config: {
      credentials: {
        ...{ auth_type: 'oauth2.0', client_id: 'app', client_secret: 'synthetic-secret' },
        ...{ access_token: '', token_expiry_date: '', refresh_token: 'used-once' },
      },
      projects_list: ['else/where'],
      api_url: 'gitlab.example.test',
    },
    stream: 'branches',
  })
  expect(records.map(({ project_id: id, name }) => [id, name])).toEqual([[14, 'branch-0']])
  expect(paths).toEqual([
    '/oauth/token',
    '/api/v4/projects/else/where',
    '/api/v4/projects/14/repository/branches?per_page=100',
  ])
})

it('asks for the groups and projects that the config names, and from its start date on', async () => {
  const { records, paths } = await readMocked(gitlab, {
    config: { ...gitlab.config, projects_list: [], start_date: '2026-01-20T00:00:00Z' },
    stream: 'issues',
  })
  expect(records).toHaveLength(1)
  expect(paths.slice(0, 3)).toEqual([
    '/api/v4/groups/octo?with_projects=false',
    '/api/v4/groups/1/projects?include_subgroups=true&with_shared=false&per_page=100',
    '/api/v4/groups/1/projects?include_subgroups=true&with_shared=false&per_page=100&page=2',
  ])
  const since = paths.filter((path) => path.includes('updated_after=2026-01-20T00:00:00.000000Z'))
  expect(since.map((path) => path.split('?')[0])).toEqual([
    '/api/v4/projects/11/issues',
    '/api/v4/projects/12/issues',
    '/api/v4/projects/13/issues',
  ])
})
