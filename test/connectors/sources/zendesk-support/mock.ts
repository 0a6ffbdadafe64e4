import type { JsonObject, JsonSchema } from '../../../../src/protocol/index.ts'
import { manifestStreams } from '../declarative/connector.ts'
import type { MockAnswer, MockRequest, MockRoute, MockRoutes } from '../declarative/mock-api.ts'
import type { MockedConnector, MockedStream } from '../declarative/suite.ts'
import { Collection, hour, hourSeconds } from '../declarative/synthetic.ts'
import { rowOf } from '../declarative/synthetic-row.ts'

const BASE = 'https://acme.zendesk.com'
const TOKEN = 'synthetic-token'
/** Fewer than asked for, so that few rows are several pages. */
const PAGE = 2

const config = (token: string) => ({
  subdomain: 'acme',
  credentials: { credentials: 'api_token', email: 'agent@example.test', api_token: token },
  start_date: '2026-01-01T00:00:00Z',
})

type Rows = Collection<JsonObject>
type Answer = (request: MockRequest, rows: JsonObject[], list: string) => MockAnswer

/** How each kind of list is paged, with the parameters that it takes. */
const KINDS: Record<string, { query: string[]; answer: Answer }> = {
  list_retriever: { query: ['page[size]', 'page[after]'], answer: byCursor },
  plain_retriever: { query: ['page'], answer: byNumber },
  export_retriever: { query: ['start_time', 'cursor', 'per_page'], answer: exported },
  timed_retriever: { query: ['start_time'], answer: exportedByTime },
  audit_retriever: { query: ['sort_by', 'sort_order', 'limit', 'cursor'], answer: backwards },
}

/** Zendesk with a synthetic account: the lists and exports that the manifest reads. */
export const zendeskSupport: MockedConnector = {
  name: 'zendesk-support',
  config: config(TOKEN),
  badConfigs: [{ title: 'token', config: config('wrong-token'), codes: ['AUTH_FAILED'] }],
  origins: [BASE],
  open() {
    const routes: MockRoutes = {}
    const streams: Record<string, MockedStream> = {}
    for (const stream of manifestStreams('zendesk-support')) {
      const name = stream.text('name')
      const schema = stream.child('schema_loader').object('schema') as JsonSchema
      const { path, list } = stream.parameters as Record<string, string>
      const cursor = stream.optionalChild('incremental_sync')?.text('cursor_field')
      const rows = collection(name, schema, cursor)
      const [route, kind] = placeOf(name, String(path))
      add(routes, route, routed(kind, rows, String(list)))
      streams[name] = {
        rows: () => rows.rows.length,
        ...(cursor ? { incremental: incrementalOf(name, cursor, rows) } : {}),
      }
    }
    return {
      ...{ routes, streams },
      authorize({ headers }) {
        const right = `Basic ${btoa(`agent@example.test/token:${TOKEN}`)}`
        return headers.get('authorization') === right
          ? undefined
          : { status: 401, body: { error: "Couldn't authenticate you" } }
      },
      rateLimits: [
        { answer: { status: 429, headers: { 'retry-after': '42' }, body: '' }, seconds: 42 },
        { answer: { status: 503, body: 'Service Unavailable' }, seconds: 10 },
      ],
    }
  },
}

const PLAIN = [
  ...['custom_roles', 'schedules', 'sla_policies', 'ticket_forms'],
  ...['custom_statuses', 'account_attributes'],
]

/** Lists of an article or a post, all of whose rows the first one has. */
const CHILDREN: Record<string, string> = {
  article_comments: 'help_center/articles/{id}/comments',
  article_attachments: 'help_center/articles/{id}/attachments',
  article_votes: 'help_center/articles/{id}/votes',
  post_comments: 'community/posts/{id}/comments',
  post_votes: 'community/posts/{id}/votes',
}
const FIRST = 1000

function placeOf(stream: string, path: string): [route: string, kind: string] {
  const of = CHILDREN[stream]
  return of ? [of, 'list_retriever'] : [path, kindOf(path, stream)]
}

function kindOf(path: string, stream: string): string {
  if (PLAIN.includes(stream)) return 'plain_retriever'
  if (stream === 'ticket_audits') return 'audit_retriever'
  if (path.endsWith('cursor.json')) return 'export_retriever'
  return path.includes('incremental/') ? 'timed_retriever' : 'list_retriever'
}

/** What asks for the time since which rows are wanted, where the manifest does not filter itself. */
const ASKED: Record<string, string> = {
  ...{ satisfaction_ratings: 'start_time', tickets: 'start_time', users: 'start_time' },
  ...{ organizations: 'start_time', ticket_metric_events: 'start_time', articles: 'start_time' },
  ...{ ticket_comments: 'start_time', user_identities: 'start_time' },
  ...{ ticket_activities: 'since', audit_logs: 'filter[created_at][]' },
}

function routed(kind: string, rows: Rows, list: string): MockRoute {
  const { query, answer } = KINDS[kind] as (typeof KINDS)[string]
  return {
    query: [...query, ...(OPTIONS[list] ?? [])],
    answer(request) {
      const isFirst = (request.params.id ?? String(FIRST)) === String(FIRST)
      return answer(request, isFirst ? rows.rows : [], list)
    },
  }
}

const OPTIONS: Record<string, string[]> = {
  satisfaction_ratings: ['start_time'],
  activities: ['since'],
  audit_logs: ['filter[created_at][]'],
  ticket_events: ['include'],
}

/** Users and their identities come from one export. */
function add(routes: MockRoutes, path: string, route: MockRoute): void {
  const key = `GET /api/v2/${path}`
  const known = routes[key]
  const query = ['include', ...(route.query ?? [])]
  routes[key] = known
    ? {
        query,
        answer: (request) =>
          (request.query.get('include') === 'identities' ? route : known).answer(request),
      }
    : route
}

/** Its rows have the cursor of their making: they never change. */
const isMade = (cursor: string) => cursor !== 'updated_at' && cursor !== 'generated_timestamp'

function incrementalOf(stream: string, cursor: string, rows: Rows) {
  const sends = ASKED[stream]
  return {
    ...(sends ? { sends } : {}),
    again: true as const,
    grow: () => rows.grow(),
    ...(isMade(cursor) ? {} : { touch: () => rows.touch() }),
  }
}

const PARENT_KEYS = ['article_id', 'post_id']

function collection(stream: string, schema: JsonSchema, cursor = 'updated_at'): Rows {
  const properties = schema.properties as Record<string, JsonSchema>
  const isWhole = properties[cursor]?.type === 'integer'
  const dated = (at: number) => ({
    updated_at: hour(at),
    [cursor]: isWhole ? hourSeconds(at) : hour(at),
  })
  const id = (n: number) => (properties.id?.type === 'string' ? `id-${n}` : FIRST + n)
  const known = (n: number): JsonObject => ({
    ...(stream === 'tags' ? { name: `tag-${n}` } : { id: id(n), created_at: hour(n) }),
    ...dated(n),
  })
  const only = (row: JsonObject) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => name in properties))
  /** Attachments name their article; to the others the connector adds it. */
  const isAdded = (name: string) =>
    stream in CHILDREN && stream !== 'article_attachments' && PARENT_KEYS.includes(name)
  return new Collection<JsonObject>(
    5,
    (n) => {
      const row = { ...rowOf(schema, n, only(known(n))) }
      return Object.fromEntries(Object.entries(row).filter(([name]) => !isAdded(name)))
    },
    (row, at) => Object.assign(row, only(dated(at))),
  )
}

function byCursor({ query }: MockRequest, all: JsonObject[], list: string): MockAnswer {
  const [since] = ['start_time', 'since', 'filter[created_at][]'].flatMap((name) =>
    query.getAll(name),
  )
  const rows = since === undefined ? all : changedSince(all, since)
  const from = Number(query.get('page[after]') ?? 0)
  const more = from + PAGE < rows.length
  const meta = { has_more: more, after_cursor: more ? String(from + PAGE) : null }
  return { body: { [list]: rows.slice(from, from + PAGE), meta } }
}

function byNumber({ query, url }: MockRequest, rows: JsonObject[], list: string): MockAnswer {
  const page = Number(query.get('page') ?? 1)
  const next = new URL(url)
  next.searchParams.set('page', String(page + 1))
  const more = page * PAGE < rows.length
  const found = rows.slice((page - 1) * PAGE, page * PAGE)
  return { body: { [list]: found, next_page: more ? next.href : null, count: rows.length } }
}

/** Exports tell either when to begin or where to go on. */
function exported({ query }: MockRequest, all: JsonObject[], list: string): MockAnswer {
  const cursor = query.get('cursor')
  const start = query.get('start_time')
  if ((cursor === null) === (start === null)) throw new Error('start_time or cursor')
  const [since = '', place = ''] =
    cursor === null ? [String(start), '0'] : cursor.slice(1).split('-')
  const from = Number(place)
  const rows = changedSince(all, since)
  const end = from + PAGE >= rows.length
  return {
    body: {
      [list]: rows.slice(from, from + PAGE),
      after_cursor: end ? null : `c${since}-${from + PAGE}`,
      end_of_stream: end,
    },
  }
}

function exportedByTime({ query, url }: MockRequest, all: JsonObject[], list: string): MockAnswer {
  const rows = changedSince(all, query.get('start_time') ?? '')
  const page = rows.slice(0, PAGE)
  const end = rows.length <= PAGE
  const next = new URL(url)
  next.searchParams.set('start_time', String(momentOf(page.at(-1) ?? {}) + 1))
  const found = list === 'ticket_events' ? page.map(eventOf) : page
  return { body: { [list]: found, next_page: next.href, end_of_stream: end, count: page.length } }
}

/** A comment within the event of its ticket, beside what else changed with it. */
function eventOf({ ticket_id = null, timestamp = null, ...row }: JsonObject): JsonObject {
  const comment = { ...row, type: 'Comment', event_type: 'Comment' }
  const change = { id: Number(row.id) + 500, event_type: 'Change', status: 'open' }
  return { id: Number(row.id) + 900, ticket_id, timestamp, child_events: [change, comment] }
}

/** Audits, the newest first. */
function backwards({ query }: MockRequest, all: JsonObject[], list: string): MockAnswer {
  if (query.get('sort_by') !== 'created_at' || query.get('sort_order') !== 'desc')
    throw new Error('the order of audits')
  const from = Number(query.get('cursor')?.slice(1) ?? 0)
  const rows = [...all].reverse()
  const more = from + PAGE < rows.length
  const before = more ? `b${from + PAGE}` : null
  return { body: { [list]: rows.slice(from, from + PAGE), before_cursor: before } }
}

const momentOf = (row: JsonObject): number => {
  const seconds = row.generated_timestamp ?? row.timestamp
  const text = row.time ?? row.updated_at ?? row.created_at
  return Number(seconds ?? Date.parse(String(text)) / 1000)
}

/** The oldest change first. `since` is in seconds, or ISO 8601 where the vendor takes that. */
function changedSince(rows: JsonObject[], since: string): JsonObject[] {
  const from = /^\d+$/.test(since) ? Number(since) : Date.parse(since) / 1000
  if (Number.isNaN(from)) throw new Error(`start_time is ${since}`)
  return rows.filter((row) => momentOf(row) >= from).sort((a, b) => momentOf(a) - momentOf(b))
}
