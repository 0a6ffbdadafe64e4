import type { MockRequest, MockRoutes } from '../declarative/mock-api.ts'
import { whole } from '../declarative/paging.ts'
import type { Row } from '../declarative/placed-rows.ts'
import type { MockedApi, MockedConnector, MockedStream } from '../declarative/suite.ts'
import { Collection, hour, hourSeconds } from '../declarative/synthetic.ts'

/** Hits a page, whatever was asked for, so that few are several pages. */
const PAGE = 2
/** Days before the tests' clock. */
const FIRST = 8700
const LISTS = ['top', 'new', 'best', 'ask', 'show', 'job']

/** Three items in three hours, then none for a day: more than the longest time that is read again. */
const hourOf = (n: number) => FIRST + 26 * Math.floor(n / 3) + (n % 3)

/** Hacker News and its search with synthetic items. */
export const hackerNews: MockedConnector = {
  name: 'hacker-news',
  config: { start_date: hour(FIRST - 5) },
  badConfigs: [],
  origins: ['https://hn.algolia.com', 'https://hacker-news.firebaseio.com'],
  open,
}

function open(): MockedApi {
  const tagged = Object.fromEntries(
    Object.entries(KINDS).map(([tag, more]) => [
      tag,
      new Collection<Row>(6, (n) => hit(tag, n, more), touch),
    ]),
  )
  const { story, comment, poll, job } = tagged as Record<string, Collection<Row>>
  const search = (rows: (request: MockRequest) => Row[], query: string[]) => ({
    query: ['tags', 'hitsPerPage', 'page', ...query],
    answer(request: MockRequest) {
      const found = rows(request)
      const page = whole(request, 'page', 0)
      const nbPages = Math.ceil(found.length / PAGE)
      const hits = found.slice(page * PAGE, (page + 1) * PAGE)
      return { body: { hits, page, nbPages, nbHits: found.length, hitsPerPage: PAGE } }
    },
  })
  const routes: MockRoutes = {
    'GET /api/v1/search_by_date': search(
      ({ query }) => within(tagged[query.get('tags') ?? '']?.rows ?? [], query),
      ['numericFilters'],
    ),
    'GET /api/v1/search': search(() => story?.rows.slice(0, 3) ?? [], []),
    'GET /v0/user/{id}.json': { answer: ({ params }) => ({ body: profile(params.id ?? '') }) },
    'GET /v0/{list}stories.json': {
      answer: ({ params }) => ({ body: [LISTS.indexOf(params.list ?? ''), 2, 3] }),
    },
    'GET /v0/updates.json': { answer: () => ({ body: { items: [1], profiles: ['person-1'] } }) },
  }
  // Everyone wrote two stories; one of them wrote the polls.
  const authors = () =>
    new Set([...(story?.rows ?? []), ...(poll?.rows ?? [])].map(({ author }) => author))
  return {
    routes,
    authorize: () => undefined,
    streams: {
      updates: { rows: () => 1, onePage: true },
      stories: incremental(story),
      // The search has no points of comments.
      comments: { ...incremental(comment), empty: ['points'] },
      polls: incremental(poll),
      jobs: incremental(job),
      front_page: { rows: () => 3 },
      users: { rows: () => authors().size },
      story_lists: { rows: () => LISTS.length, onePage: true },
    },
    rateLimits: [
      { answer: { status: 429, headers: { 'retry-after': '9' }, body: 'slow' }, seconds: 9 },
      { answer: { status: 429, body: 'slow' }, seconds: 10 },
    ],
  }
}

/** The newest hits come first; a filter is `created_at_i>=from,created_at_i<=to`. */
function within(rows: Row[], query: URLSearchParams): Row[] {
  const filters = query.get('numericFilters') ?? ''
  const [, from, to] = /^created_at_i>=(\d+),created_at_i<=(\d+)$/.exec(filters) ?? []
  if (!from || !to) throw new Error(`the filters ${filters} are not understood`)
  return rows
    .filter(({ created_at_i: at }) => Number(at) >= Number(from) && Number(at) <= Number(to))
    .reverse()
}

const incremental = (items: Collection<Row> | undefined): MockedStream => ({
  rows: () => items?.rows.length ?? 0,
  incremental: {
    ...{ sends: 'numericFilters', again: true, grow: () => items?.grow() },
    touch: () => items?.touch((items.rows.length ?? 1) - 1),
  },
})

/** Points come later, comments can be edited for a while; the time of an item never changes. */
function touch(row: Row): void {
  if ('comment_text' in row) row.comment_text = 'edited'
  else row.points = 99
}

const KINDS: Record<string, (n: number) => Row> = {
  story: (n) => ({ ...story(n), url: n % 2 === 0 ? `https://example.test/${n}` : null }),
  poll: (n) => ({ ...story(n), url: 'https://example.test/poll', author: 'person-0', parts: [n] }),
  job: (n) => ({ ...story(n), url: 'https://example.test/job', job_text: `Work ${n}` }),
  comment: (n) => ({
    ...{ comment_text: `Comment ${n}`, story_id: 1, story_title: 'A story', points: null },
    ...{ story_url: 'https://example.test/1', parent_id: 1, children: [n] },
  }),
}

const story = (n: number): Row => ({
  ...{ story_id: n, title: `Title ${n}`, story_text: n % 2 === 0 ? `Text ${n}` : null },
  ...{ points: n, num_comments: n, children: [n] },
})

function hit(tag: string, n: number, more: (n: number) => Row): Row {
  const at = hourOf(n)
  return {
    ...{ objectID: String(1000 + n), created_at: hour(at), created_at_i: hourSeconds(at) },
    ...{ updated_at: hour(at), author: `person-${n % 3}`, _tags: [tag, `author_person-${n % 3}`] },
    ...more(n),
    _highlightResult: { title: { value: 'Title', matchLevel: 'none', matchedWords: [] } },
  }
}

/** Not everyone says something of themselves. */
const profile = (id: string): Row => ({
  ...{ id, created: hourSeconds(0), karma: 10, submitted: [1, 2] },
  ...(id === 'person-0' ? { about: 'Likes polls' } : {}),
})
