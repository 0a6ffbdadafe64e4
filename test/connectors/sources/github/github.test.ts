import { expect, it } from 'vitest'
import { declarativeConformance, readMocked } from '../declarative/suite.ts'
import { github } from './mock.ts'

declarativeConformance(github)

it('reads the repositories of a person as of an organization, with an OAuth token', async () => {
  const { records, paths } = await readMocked(github, {
    config: {
      credentials: { option_title: 'OAuth Credentials', access_token: 'synthetic-token' },
      repositories: ['hello/*'],
    },
    stream: 'branches',
  })
  expect(records.map(({ repository, name }) => [repository, name])).toEqual([
    ['hello/world', 'branch-0'],
  ])
  expect(paths).toEqual([
    '/users/hello',
    '/users/hello/repos?per_page=100',
    '/repos/hello/world/branches?per_page=100',
  ])
})

it('asks only for the repositories that the config names, from its start date on', async () => {
  const { records, paths } = await readMocked(github, {
    config: {
      credentials: { personal_access_token: 'synthetic-token' },
      repositories: ['octo-org/alpha'],
      start_date: '2026-01-20T00:00:00Z',
    },
    stream: 'commits',
  })
  expect(records).toHaveLength(1)
  expect(paths).toEqual(['/repos/octo-org/alpha/commits?per_page=100&since=2026-01-20T00:00:00Z'])
})

it('says which repository it cannot find', async () => {
  const config = {
    credentials: { personal_access_token: 'synthetic-token' },
    repositories: ['octo-org/alpha', 'octo-org/nothing'],
  }
  await expect(readMocked(github, { config, stream: 'branches' })).rejects.toThrow(
    'GitHub has no https://api.github.com/repos/octo-org/nothing/branches',
  )
})
