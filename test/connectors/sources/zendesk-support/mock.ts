import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject, JsonSchema } from '../../../../src/protocol/index.ts'
import { loadManifest } from '../../../../src/runtime/declarative/manifest/load.ts'
import { CONNECTORS } from '../declarative/connector.ts'
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
    const text = readFileSync(join(CONNECTORS, 'zendesk-support/manifest.yaml'), 'utf8')
    for (const stream of loadManifest(text).children('streams')) {
      const name = stream.text('name')
      const schema = stream.child('schema_loader').object('schema') as JsonSchema
      const { path, list } = stream.parameters as Record<string, string>
      const cursor = stream.optionalChild('incremental_sync')?.text('cursor_field')
      const rows = collection(name, schema)
      const route = kindOf(String(path), name)
      routes[`GET /api/v2/${path}`] = routed(route, rows, String(list))
      streams[name] = {
        rows: () => rows.rows.length,
        ...(cursor ? { incremental: incrementalOf(name, String(path), rows) } : {}),
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

const PLAIN = ['custom_roles', 'schedules', 'sla_policies', 'ticket_forms']

function kindOf(path: string, stream: string): string {
  if (PLAIN.includes(stream)) return 'plain_retriever'
  if (path.endsWith('cursor.json')) return 'export_retriever'
  return path.includes('incremental/') ? 'timed_retriever' : 'list_retriever'
}

function routed(kind: string, rows: Rows, list: string): MockRoute {
  const { query, answer } = KINDS[kind] as (typeof KINDS)[string]
  return {
    query: list === 'satisfaction_ratings' ? [...query, 'start_time'] : query,
    answer: (request) => answer(request, rows.rows, list),
  }
}

function incrementalOf(stream: string, path: string, rows: Rows) {
  const isAsked = path.includes('incremental/') || stream === 'satisfaction_ratings'
  return {
    ...(isAsked ? { sends: 'start_time' } : {}),
    again: true as const,
    grow: () => rows.grow(),
    // A metric event never changes.
    ...(stream === 'ticket_metric_events' ? {} : { touch: () => rows.touch() }),
  }
}

function collection(stream: string, schema: JsonSchema): Rows {
  const dated = (at: number) => ({
    updated_at: hour(at),
    ...('time' in (schema.properties as object) ? { time: hour(at) } : {}),
    ...('generated_timestamp' in (schema.properties as object)
      ? { generated_timestamp: hourSeconds(at) }
      : {}),
  })
  const known = (n: number): JsonObject => ({
    ...(stream === 'tags' ? { name: `tag-${n}` } : { id: 1000 + n, created_at: hour(n) }),
    ...dated(n),
  })
  const isKnown = (name: string) => name in (schema.properties as object)
  const only = (row: JsonObject) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => isKnown(name)))
  return new Collection<JsonObject>(
    5,
    (n) => rowOf(schema, n, only(known(n))),
    (row, at) => Object.assign(row, only(dated(at))),
  )
}

function byCursor({ query }: MockRequest, all: JsonObject[], list: string): MockAnswer {
  const since = query.get('start_time')
  const rows = since === null ? all : changedSince(all, since)
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
  return { body: { [list]: page, next_page: next.href, end_of_stream: end, count: page.length } }
}

const momentOf = (row: JsonObject): number =>
  Number(row.generated_timestamp ?? Date.parse(String(row.time ?? row.updated_at)) / 1000)

/** The oldest change first. */
function changedSince(rows: JsonObject[], since: string): JsonObject[] {
  if (!/^\d+$/.test(since)) throw new Error(`start_time is ${since}`)
  return rows
    .filter((row) => momentOf(row) >= Number(since))
    .sort((a, b) => momentOf(a) - momentOf(b))
}
