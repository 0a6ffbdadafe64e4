import type { JsonObject } from '../../../../src/protocol/index.ts'
import type { MockRoutes } from '../declarative/mock-api.ts'
import type { MockedApi, MockedConnector, MockedStream } from '../declarative/suite.ts'
import { Account, FIRST, hoursAgo } from './account.ts'
import { listing, problem } from './api.ts'
import { CHANGING, CREATED, type Kind, OF_CUSTOMER, PARTS, WHOLE_PARTS } from './resources.ts'

const KEY = 'sk_test_synthetic'
const ACCOUNT = 'acct_synthetic'
const ROWS = 3

/** Stripe with synthetic objects, each of which fills every field of its schema. */
export const stripe: MockedConnector = {
  name: 'stripe',
  config: { client_secret: KEY, account_id: ACCOUNT, start_date: '2026-01-01T00:00:00Z' },
  badConfigs: [
    {
      title: 'wrong key',
      config: { client_secret: 'sk_test_wrong', account_id: ACCOUNT },
      codes: ['AUTH_FAILED', 'SOURCE_MISCONFIGURED'],
    },
  ],
  origins: ['https://api.stripe.com'],
  open: () => stripeApi(new Account()),
}

/** Fills the account, and gives the API over it. */
export function stripeApi(account: Account): MockedApi {
  const routes: MockRoutes = {}
  const streams: Record<string, MockedStream> = {}
  for (const add of [addCreated, addChanging, addOfCustomers, addParts, addWholeParts]) {
    add(account, routes, streams)
  }
  addEvents(account, routes, streams)
  return {
    ...{ routes, streams },
    authorize({ headers }) {
      if (headers.get('stripe-account') !== ACCOUNT) return problem(403, 'No such account')
      if (headers.get('authorization') === `Bearer ${KEY}`) return undefined
      return problem(401, 'Invalid API Key provided')
    },
    rateLimits: [
      { answer: problem(429, 'Too many requests'), seconds: 1 },
      { answer: problem(500, 'Something went wrong'), seconds: 1 },
    ],
  }
}

type Add = (account: Account, routes: MockRoutes, streams: Record<string, MockedStream>) => void

const addCreated: Add = (account, routes, streams) => {
  for (const [stream, path] of Object.entries(CREATED)) {
    const add = (count: number) => times(count, () => account.add(stream))
    add(ROWS)
    routes[`GET /v1/${path}`] = listing({ ranged: true, rows: () => account.rows(stream) })
    streams[stream] = {
      rows: () => account.rows(stream).length,
      incremental: { sends: 'created[gte]', again: true, grow: () => add(3) },
    }
  }
}

const addChanging: Add = (account, routes, streams) => {
  for (const [stream, kind] of Object.entries(CHANGING)) {
    const { path, unranged, filters = [] } = kind
    streams[stream] = changing(account, stream, kind, () => ({}))
    routes[`GET /v1/${path}`] = listing({
      ...{ ranged: !unranged, filters },
      rows: () => account.rows(stream),
    })
  }
}

/** Objects of the first customer. */
const addOfCustomers: Add = (account, routes, streams) => {
  const [customer] = account.rows('customers')
  for (const [stream, kind] of Object.entries(OF_CUSTOMER)) {
    const { path, object, filters = [] } = kind
    streams[stream] = changing(account, stream, kind, () => ({
      ...{ object, customer: String(customer?.id) },
    }))
    routes[`GET /v1/${path}`] = listing({
      filters,
      rows: ({ params }) => account.rows(stream).filter((row) => row.customer === params.customer),
    })
  }
}

function changing(
  account: Account,
  stream: string,
  { created, updated, deleted }: Kind,
  known: () => JsonObject,
): MockedStream {
  const add = (count: number, otherwise: number) =>
    times(count, () => account.tellNew(created, account.add(stream, known()), otherwise))
  add(ROWS, hoursAgo(FIRST))
  const rows = account.rows(stream)
  const change = (row: JsonObject) =>
    Object.assign(row, 'livemode' in row ? { livemode: null } : { metadata: {} })
  return {
    rows: () => rows.length,
    ...(deleted ? { empty: ['is_deleted'] } : {}),
    incremental: {
      ...{ sends: 'created[gte]', again: true, grow: () => add(3, hoursAgo(0)) },
      ...(updated ? { touch: () => account.tellChange(updated, change(rows[0] ?? {})) } : {}),
      ...(deleted ? { remove: () => account.tellChange(deleted, rows.shift() ?? {}) } : {}),
    },
  }
}

/** Every new owner has two parts; those of an owner are read again when it changes. */
const addParts: Add = (account, routes, streams) => {
  for (const [stream, { owners, path, by }] of Object.entries(PARTS)) {
    const { created, updated = '' } = CHANGING[owners] as Kind
    const owned = (owner: JsonObject, count: number) =>
      times(count, () => {
        const { id = null, created: moment = null } = owner
        account.add(stream, { ...(by ? { [by]: id } : {}), owner: id }, Number(moment))
      })
    for (const owner of account.rows(owners)) owned(owner, 2)
    const ofOwner = (id: string | null | undefined) =>
      account.rows(stream).filter((row) => row.owner === id)
    const key = `GET /v1/${path}`
    const whole = routes[key]
    const ofOne = listing({
      filters: by ? [by] : [],
      rows: ({ params, query }) => visible(ofOwner(by ? query.get(by) : params.owner)),
    })
    routes[key] = whole
      ? {
          query: [...(whole.query ?? []), ...(by ? [by] : [])],
          answer: (request) => (by && request.query.has(by) ? ofOne : whole).answer(request),
        }
      : ofOne
    streams[stream] = {
      rows: () => account.rows(stream).length,
      incremental: {
        again: true,
        grow() {
          const owner = account.add(owners)
          owned(owner, 3)
          account.tellNew(created, owner, hoursAgo(0))
        },
        touch() {
          const [owner] = account.rows(owners)
          Object.assign(ofOwner(String(owner?.id))[0] ?? {}, { object: 'changed' })
          account.tellChange(updated, owner ?? {})
        },
      },
    }
  }
}

/** What the mock keeps for itself is not in an answer. */
const visible = (rows: JsonObject[]) => rows.map(({ owner: _, ...row }) => row)

const addWholeParts: Add = (account, routes, streams) => {
  for (const [stream, { owners, path, object }] of Object.entries(WHOLE_PARTS)) {
    for (const { id = null } of account.rows(owners)) {
      account.add(stream, { owner: id, ...(object ? { object } : {}) })
    }
    const key = `GET /v1/${path}`
    const others = routes[key]
    const own = listing({
      filters: object ? ['object'] : [],
      rows: ({ params }) =>
        visible(account.rows(stream).filter((row) => row.owner === params.owner)),
    })
    routes[key] = others
      ? {
          ...others,
          answer: (request) =>
            (request.query.get('object') === object ? own : others).answer(request),
        }
      : own
    streams[stream] = { rows: () => account.rows(stream).length }
  }
}

const addEvents: Add = (account, routes, streams) => {
  routes['GET /v1/events'] = listing({
    ranged: true,
    filters: ['types[]'],
    rows: () => account.events,
  })
  streams.events = {
    rows: () => account.events.length,
    incremental: {
      ...{ sends: 'created[gte]', again: true },
      grow: () =>
        times(3, () => account.tellChange('mandate.updated', { object: 'mandate', created: 0 })),
    },
  }
}

const times = (count: number, make: () => unknown): void => {
  for (let n = 0; n < count; n++) make()
}
