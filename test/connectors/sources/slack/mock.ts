import type { JsonObject } from '../../../../src/protocol/index.ts'
import type { MockAnswer, MockRequest } from '../declarative/mock-api.ts'
import type { MockedConnector } from '../declarative/suite.ts'
import { Workspace } from './workspace.ts'

const TOKEN = 'xoxb-synthetic'
/** Fewer than asked for, as Slack may, so that few rows are several pages. */
const PAGE = 2

const config = (token: string) => ({
  start_date: '2026-01-01T00:00:00Z',
  credentials: { option_title: 'API Token Credentials', api_token: token },
})

/** Slack's failures come with 200. */
const failure = (error: string): MockAnswer => ({ body: { ok: false, error } })

/** Slack with a synthetic workspace. */
export const slack: MockedConnector = {
  name: 'slack',
  config: config(TOKEN),
  badConfigs: [{ title: 'token', config: config('xoxb-wrong'), codes: ['SOURCE_MISCONFIGURED'] }],
  origins: ['https://slack.com'],
  open() {
    const workspace = new Workspace()
    const { users, groups, channels, messages, threads, members } = workspace
    const three = (add: () => void) => () => {
      for (let n = 0; n < 3; n++) add()
    }
    return {
      streams: {
        channel_messages: {
          rows: () => [...messages.values()].flat().length,
          incremental: { sends: 'oldest', again: true, grow: three(() => workspace.post('C0')) },
        },
        threads: {
          rows: () => [...threads.values()].flat().length,
          incremental: { again: true, grow: () => workspace.startThread('C0') },
        },
        channel_members: { rows: () => channels.length * members.length },
        channels: { rows: () => channels.length },
        users: { rows: () => users.length },
        user_groups: { rows: () => groups.length, onePage: true },
        team: { rows: () => 1, onePage: true },
      },
      routes: {
        'GET /api/team.info': { answer: () => ({ body: { ok: true, team: workspace.team } }) },
        'GET /api/users.list': paged(['include_locale'], () => ['members', users]),
        'GET /api/usergroups.list': {
          query: ['include_users', 'include_count', 'include_disabled'],
          answer: () => ({ body: { ok: true, usergroups: groups } }),
        },
        'GET /api/conversations.list': paged(['types', 'exclude_archived'], ({ query }) => {
          if (query.get('types') !== 'public_channel') throw new Error('which channels?')
          return ['channels', channels]
        }),
        'GET /api/conversations.members': paged(['channel'], () => ['members', members]),
        'GET /api/conversations.history': paged(
          ['channel', 'oldest', 'latest', 'inclusive'],
          ({ query }) => {
            const all = messages.get(query.get('channel') ?? '') ?? []
            // The newest first.
            return ['messages', within(all, query).reverse()]
          },
        ),
        'GET /api/conversations.replies': paged(
          ['channel', 'ts', 'oldest', 'latest', 'inclusive'],
          ({ query }) => {
            const thread = threads.get(`${query.get('channel')} ${query.get('ts')}`)
            return thread ? ['messages', within(thread, query)] : undefined
          },
        ),
      },
      authorize: ({ headers }) =>
        headers.get('authorization') === `Bearer ${TOKEN}` ? undefined : failure('invalid_auth'),
      rateLimits: [
        { answer: { status: 429, headers: { 'retry-after': '30' }, body: '' }, seconds: 30 },
        { answer: failure('internal_error'), seconds: 10 },
      ],
    }
  },
}

type Answered = (request: MockRequest) => [string, (JsonObject | string)[]] | undefined

const paged = (query: string[], answer: Answered) => ({
  query: [...query, 'cursor', 'limit'],
  answer(request: MockRequest): MockAnswer {
    const found = answer(request)
    if (!found) return failure('thread_not_found')
    const [field, rows] = found
    const from = Number(request.query.get('cursor') ?? 0)
    const next = from + PAGE < rows.length ? String(from + PAGE) : ''
    return {
      body: {
        ...{ ok: true, [field]: rows.slice(from, from + PAGE) },
        response_metadata: { next_cursor: next },
      },
    }
  },
})

function within(rows: JsonObject[], query: URLSearchParams): JsonObject[] {
  const oldest = Number(query.get('oldest') ?? 0)
  const latest = Number(query.get('latest') ?? Number.POSITIVE_INFINITY)
  if (Number.isNaN(oldest) || Number.isNaN(latest)) throw new Error(`window ${query}`)
  return rows.filter(({ ts }) => Number(ts) >= oldest && Number(ts) <= latest)
}
