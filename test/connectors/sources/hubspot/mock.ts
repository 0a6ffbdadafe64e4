import { components } from '../../../../connectors/sources/hubspot/components.ts'
import type { JsonObject } from '../../../../src/protocol/index.ts'
import type { MockRequest, MockRoute, MockRoutes } from '../declarative/mock-api.ts'
import { whole } from '../declarative/paging.ts'
import type { MockedApi, MockedConnector, MockedStream } from '../declarative/suite.ts'
import { hourMs } from '../declarative/synthetic.ts'
import { crmList, crmSearch, next, problem } from './crm.ts'
import { addEngagements, addHistories, addOfContacts, addSplits } from './more.ts'
import { moment, Portal, propertiesOf } from './portal.ts'

const TOKEN = 'pat-synthetic'
export const ROWS = 3

export const config = {
  credentials: { credentials_title: 'Private App Credentials', access_token: TOKEN },
  start_date: '2026-01-01T00:00:00Z',
}

const OBJECTS: Record<string, string> = {
  ...{ companies: 'companies', contacts: 'contacts', deals: 'deals', tickets: 'tickets' },
  ...{ engagements_calls: 'calls', engagements_emails: 'emails', engagements_tasks: 'tasks' },
  ...{ engagements_meetings: 'meetings', engagements_notes: 'notes', goals: 'goal_targets' },
  ...{ feedback_submissions: 'feedback_submissions', leads: 'leads', products: 'products' },
  line_items: 'line_items',
  // Defined by the account.
  boats: '2-17',
}

/** HubSpot with a synthetic account. `page` is how many objects a page of the CRM holds. */
export function hubspotApi(portal: Portal, page = 2): MockedApi {
  const routes: MockRoutes = {}
  const streams: Record<string, MockedStream> = {}
  const shelf = { portal, routes, streams }
  addCrm(shelf, page)
  addListed(shelf)
  addUnpaged(shelf)
  addLists(shelf)
  addForms(shelf)
  addLegacyEvents(shelf)
  addHistories(shelf)
  addOfContacts(shelf)
  addSplits(shelf)
  addEngagements(shelf)
  routes['POST /oauth/v1/token'] = {
    body: ['grant_type', 'client_id', 'client_secret', 'refresh_token'],
    answer: ({ body }) =>
      body.refresh_token === 'right'
        ? { body: { access_token: TOKEN, refresh_token: 'right', expires_in: 1800 } }
        : problem(400, 'missing or invalid refresh token'),
  }
  return {
    ...{ routes, streams },
    authorize: ({ headers, route }) =>
      route.endsWith('/token') || headers.get('authorization') === `Bearer ${TOKEN}`
        ? undefined
        : problem(401, 'Authentication credentials not found', {
            category: 'INVALID_AUTHENTICATION',
          }),
    rateLimits: [
      {
        answer: problem(429, 'You have reached your secondly limit.', {
          policyName: 'TEN_SECONDLY_ROLLING',
        }),
        seconds: 10,
      },
      { answer: problem(502, 'Bad gateway'), seconds: 10 },
    ],
  }
}

export const hubspot: MockedConnector = {
  ...{ name: 'hubspot', config, components, origins: ['https://api.hubapi.com'] },
  badConfigs: [
    {
      title: 'wrong token',
      config: { credentials: { ...config.credentials, access_token: 'pat-wrong' } },
      codes: ['AUTH_FAILED', 'SOURCE_MISCONFIGURED'],
    },
  ],
  open: () => hubspotApi(new Portal()),
}

export interface Shelf {
  portal: Portal
  routes: MockRoutes
  streams: Record<string, MockedStream>
}

function addCrm({ portal, routes, streams }: Shelf, page: number): void {
  for (const [stream, object] of Object.entries(OBJECTS)) {
    const add = (count: number) => times(count, () => portal.addObject(object))
    add(ROWS)
    const path = `/crm/v3/objects/${object}`
    routes[`GET ${path}`] = crmList(portal, object, page)
    routes[`POST ${path}/search`] = crmSearch(portal, object, page)
    routes[`GET /crm/v3/properties/${object}`] = {
      answer: () => ({ body: { results: propertiesOf(object) } }),
    }
    streams[stream] = {
      rows: () => portal.objects(object).filter(({ archived }) => !archived).length,
      incremental: {
        ...{ sends: 'filterGroups', again: true, grow: () => add(3) },
        touch: () => portal.touch(object),
      },
    }
  }
  for (const object of ['companies', 'contacts', 'deals', 'tickets']) {
    const bury = (count: number) => times(count, () => portal.addObject(object, true))
    bury(ROWS)
    streams[`${object}_archived`] = {
      rows: () => portal.objects(object).filter(({ archived }) => archived).length,
      incremental: { again: true, grow: () => bury(3) },
    }
    const alive = portal.objects(object).filter(({ archived }) => !archived)
    for (const { id, associations } of alive) {
      const link = (n: number) => ({ id: `${id}${n}`, type: `${object}_to_other` })
      associations.others = { results: [link(1), link(2)] }
      associations['line items'] = { results: [link(3)] }
    }
    streams[`${object}_associations`] = { rows: () => alive.length * 3 }
  }
  routes['GET /crm-object-schemas/v3/schemas'] = {
    answer: () => ({ body: { results: [{ name: 'boats', objectTypeId: '2-17' }] } }),
  }
}

/** Lists without a filter by time, which are read whole and filtered here. */
function addListed(shelf: Shelf): void {
  const { portal, routes, streams } = shelf
  addUpdated(shelf, 'owners')
  addUpdated(shelf, 'owners_archived')
  routes['GET /crm/v3/owners'] = list(
    ({ query }) => portal.rows(query.get('archived') === 'true' ? 'owners_archived' : 'owners'),
    ['archived'],
  )
  for (const [stream, path, others] of [
    ['forms', 'marketing/v3/forms', ['formTypes']],
    ['campaigns', 'marketing/v3/campaigns', ['properties']],
    ['workflows', 'automation/v4/flows', []],
  ] as const) {
    addUpdated(shelf, stream)
    routes[`GET /${path}`] = list(() => portal.rows(stream), [...others])
  }
  addUpdated(shelf, 'marketing_emails')
  Object.assign(streams.marketing_emails?.incremental ?? {}, { sends: 'updatedAfter' })
  routes['GET /marketing/v3/emails'] = list(
    ({ query }) => {
      const [after, before] = ['updatedAfter', 'updatedBefore'].map((name) =>
        Date.parse(query.get(name) ?? ''),
      )
      return portal.rows('marketing_emails').filter(({ updatedAt }) => {
        const at = Date.parse(String(updatedAt))
        return at >= (after ?? 0) && at <= (before ?? 0)
      })
    },
    ['includeStats', 'sort', 'updatedAfter', 'updatedBefore'],
  )
}

function addUpdated({ portal, streams }: Shelf, stream: string): void {
  const add = (count: number) =>
    times(count, () => portal.add(stream, { updatedAt: moment(portal.tick()) }))
  add(ROWS)
  const rows = portal.rows(stream)
  streams[stream] = {
    rows: () => rows.length,
    incremental: {
      ...{ again: true, grow: () => add(3) },
      touch: () => Object.assign(rows[0] ?? {}, { updatedAt: moment(portal.tick()) }),
    },
  }
}

function list(rows: (request: MockRequest) => JsonObject[], others: string[], size = 2): MockRoute {
  return {
    query: ['limit', 'after', ...others],
    answer(request) {
      if (whole(request, 'limit', 10) > 250) return problem(400, 'limit is too large')
      const found = rows(request)
      const from = whole(request, 'after', 0)
      return {
        body: { results: found.slice(from, from + size), ...next(from + size, found.length) },
      }
    },
  }
}

function addUnpaged(shelf: Shelf): void {
  for (const [stream, path, root] of [
    ['deal_pipelines', 'crm/v3/pipelines/deals', 'results'],
    ['ticket_pipelines', 'crm/v3/pipelines/tickets', 'results'],
    ['email_subscriptions', 'communication-preferences/v3/definitions', 'subscriptionDefinitions'],
  ] as const) {
    addUpdated(shelf, stream)
    shelf.routes[`GET /${path}`] = {
      answer: () => ({ body: { [root]: shelf.portal.rows(stream) } }),
    }
    Object.assign(shelf.streams[stream] ?? {}, { onePage: true })
  }
}

function addLists(shelf: Shelf): void {
  const { portal, routes, streams } = shelf
  addUpdated(shelf, 'contact_lists')
  const lists = portal.rows('contact_lists')
  routes['POST /crm/v3/lists/search'] = {
    body: ['query', 'additionalProperties', 'offset', 'count'],
    answer({ body }) {
      if (Number(body.count) > 500) return problem(400, 'count is too large')
      const offset = Number(body.offset ?? 0) + 2
      return {
        body: { lists: lists.slice(offset - 2, offset), hasMore: offset < lists.length, offset },
      }
    },
  }
  const stream = 'contacts_list_memberships'
  for (const { listId = null } of lists) times(3, () => portal.add(stream, { listId }))
  routes['GET /crm/v3/lists/{list}/memberships'] = list(
    ({ params }) =>
      without(
        'listId',
        portal.rows(stream).filter(({ listId }) => listId === params.list),
      ),
    [],
  )
  streams[stream] = { rows: () => portal.rows(stream).length }
}

/** Newest first, without a filter by time. */
function addForms({ portal, routes, streams }: Shelf): void {
  const stream = 'form_submissions'
  const add = (formId: string, count: number) =>
    times(count, () => portal.add(stream, { formId, submittedAt: hourMs(portal.tick()) }))
  const forms = portal.rows('forms').map(({ id }) => String(id))
  for (const id of forms) add(id, 3)
  routes['GET /form-integrations/v1/submissions/forms/{form}'] = list(({ params }) => {
    const own = portal.rows(stream).filter(({ formId }) => formId === params.form)
    return without('formId', own.toReversed())
  }, [])
  streams[stream] = {
    rows: () => portal.rows(stream).length,
    incremental: { again: true, grow: () => add(forms[0] ?? '', 3) },
  }
}

const without = (field: string, rows: JsonObject[]): JsonObject[] =>
  rows.map(({ [field]: _, ...row }) => row)

function addLegacyEvents({ portal, routes, streams }: Shelf): void {
  for (const [stream, path, root, field] of [
    ['email_events', 'email/public/v1/events', 'events', 'created'],
    ['subscription_changes', 'email/public/v1/subscriptions/timeline', 'timeline', 'timestamp'],
  ] as const) {
    const add = (count: number) =>
      times(count, () => portal.add(stream, { [field]: hourMs(portal.tick()) }))
    add(ROWS)
    routes[`GET /${path}`] = {
      query: ['startTimestamp', 'endTimestamp', 'limit', 'offset'],
      answer(request) {
        const [from, to] = [whole(request, 'startTimestamp', 0), whole(request, 'endTimestamp', 0)]
        const found = portal
          .rows(stream)
          .filter((row) => Number(row[field]) >= from && Number(row[field]) <= to)
        const offset = Number(request.query.get('offset')?.slice(3) ?? 0) + 2
        return {
          body: {
            [root]: found.slice(offset - 2, offset),
            ...{ hasMore: offset < found.length, offset: `at ${offset}` },
          },
        }
      },
    }
    streams[stream] = {
      rows: () => portal.rows(stream).length,
      incremental: { sends: 'startTimestamp', again: true, grow: () => add(3) },
    }
  }
}

export function times(count: number, make: () => unknown): void {
  for (let n = 0; n < count; n++) make()
}
