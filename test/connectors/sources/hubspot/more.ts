import type { JsonObject } from '../../../../src/protocol/index.ts'
import { whole } from '../declarative/paging.ts'
import { hourMs } from '../declarative/synthetic.ts'
import { problem } from './crm.ts'
import { ROWS, type Shelf, times } from './mock.ts'
import { idFieldOf, moment, propertiesOf } from './portal.ts'

/** Values of the first and the last property, so of all requests that their names take. */
export function addHistories({ portal, streams }: Shelf): void {
  for (const object of ['companies', 'contacts', 'deals']) {
    const stream = `${object}_property_history`
    const alive = portal.objects(object).filter(({ archived }) => !archived)
    const names = [propertiesOf(object)[2]?.name, propertiesOf(object).at(-1)?.name]
    const add = (count: number) => {
      for (let n = 0; n < count; n++) {
        portal.add(stream, {
          [idFieldOf(object)]: alive[n % alive.length]?.id ?? '',
          property: names[n % names.length] ?? '',
          timestamp: moment(portal.tick()),
        })
      }
    }
    add(alive.length * 2)
    const rows = () => portal.rows(stream).length
    streams[stream] = { rows, incremental: { again: true, grow: () => add(3) } }
  }
}

/** `GET /contacts/v1/lists/all/contacts/all`, two contacts a page. */
export function addOfContacts({ portal, routes, streams }: Shelf): void {
  const kinds = {
    'form-submissions': 'contacts_form_submissions',
    'merge-audits': 'contacts_merged_audit',
  }
  for (const stream of Object.values(kinds)) {
    const add = (count: number) => {
      for (let n = 0; n < count; n++) {
        portal.add(stream, { 'canonical-vid': 1 + (n % 3), timestamp: hourMs(portal.tick()) })
      }
    }
    add(ROWS)
    const rows = () => portal.rows(stream).length
    streams[stream] = { rows, incremental: { again: true, grow: () => add(3) } }
  }
  routes['GET /contacts/v1/lists/all/contacts/all'] = {
    query: ['count', 'vidOffset', 'property', 'formSubmissionMode'],
    answer(request) {
      if (whole(request, 'count', 20) > 100) return problem(400, 'count is too large')
      if (request.query.get('formSubmissionMode') !== 'all') return problem(400, 'not all')
      const after = whole(request, 'vidOffset', 0)
      const contacts = [1, 2, 3].filter((vid) => vid > after).slice(0, 2)
      const parts = (vid: number) =>
        Object.entries(kinds).map(([part, stream]) => [
          part,
          portal.rows(stream).filter((row) => row['canonical-vid'] === vid),
        ])
      const last = contacts.at(-1) ?? 0
      return {
        body: {
          contacts: contacts.map((vid) => ({
            ...{ vid, 'canonical-vid': vid, 'portal-id': 1 },
            ...Object.fromEntries(parts(vid)),
          })),
          ...{ 'has-more': last < 3, 'vid-offset': last },
        },
      }
    },
  }
}

/** `POST /crm/v3/objects/deals/splits/batch/read` */
export function addSplits({ portal, routes, streams }: Shelf): void {
  const stream = 'deal_splits'
  const deals = portal.objects('deals').filter(({ archived }) => !archived)
  for (const { id: dealId } of deals) times(2, () => portal.add(stream, { dealId }))
  routes['POST /crm/v3/objects/deals/splits/batch/read'] = {
    body: ['inputs'],
    answer({ body }) {
      const inputs = body.inputs as { id: string }[]
      if (inputs.length > 100) return problem(400, 'too many deals at once')
      const results = inputs.map(({ id }) => ({
        id,
        splits: portal
          .rows(stream)
          .filter(({ dealId }) => dealId === id)
          .map(asSplit),
      }))
      return { body: { status: 'COMPLETE', results } }
    },
  }
  streams[stream] = { rows: () => portal.rows(stream).length, onePage: true }
}

function asSplit({ dealId: _, ...row }: JsonObject): JsonObject {
  const {
    properties_hs_deal_split_percentage = null,
    properties_hubspot_owner_id = null,
    ...rest
  } = row
  return {
    ...rest,
    properties: {
      hs_deal_split_percentage: properties_hs_deal_split_percentage,
      hubspot_owner_id: properties_hubspot_owner_id,
    },
  }
}

/** `GET /engagements/v1/engagements/paged`, two a page. */
export function addEngagements({ portal, routes, streams }: Shelf): void {
  const stream = 'engagements'
  const now = () => ({ lastUpdated: hourMs(portal.tick()) })
  const add = (count: number) => times(count, () => portal.add(stream, now()))
  add(ROWS)
  routes['GET /engagements/v1/engagements/paged'] = {
    query: ['limit', 'offset'],
    answer(request) {
      if (whole(request, 'limit', 100) > 250) return problem(400, 'limit is too large')
      const rows = portal.rows(stream)
      const offset = whole(request, 'offset', 0) + 2
      const results = rows
        .slice(offset - 2, offset)
        .map(({ associations = null, attachments = null, metadata = null, ...engagement }) => ({
          ...{ engagement, associations, attachments, metadata },
        }))
      return { body: { results, hasMore: offset < rows.length, offset } }
    },
  }
  const [first] = portal.rows(stream)
  streams[stream] = {
    rows: () => portal.rows(stream).length,
    incremental: {
      again: true,
      grow: () => add(3),
      touch: () => Object.assign(first ?? {}, now()),
    },
  }
}
