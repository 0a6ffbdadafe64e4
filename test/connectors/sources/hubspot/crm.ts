import type { JsonObject, JsonValue } from '../../../../src/protocol/index.ts'
import type { MockAnswer, MockRoute } from '../declarative/mock-api.ts'
import { whole } from '../declarative/paging.ts'
import { type CrmObject, changeOf, type Portal } from './portal.ts'

/** What a query finds at most, and no token leads further. */
const CAP = 10_000
/** Longer addresses are refused by the servers before HubSpot. */
const LONGEST_ADDRESS = 16_000

/** `GET /crm/v3/objects/{object}`, a page of at most `size`. */
export function crmList(portal: Portal, object: string, size: number): MockRoute {
  return {
    query: ['limit', 'after', 'archived', 'properties', 'propertiesWithHistory', 'associations'],
    answer(request) {
      if (request.url.href.length > LONGEST_ADDRESS) return problem(414, 'URI too long')
      const { query } = request
      const histories = query.get('propertiesWithHistory')?.split(',')
      const most = histories ? 50 : 100
      if (whole(request, 'limit', 10) > most) return problem(400, 'limit is too large')
      const wanted = query.get('archived') === 'true'
      const found = portal.objects(object).filter(({ archived }) => archived === wanted)
      const from = whole(request, 'after', 0)
      const properties = query.get('properties')?.split(',') ?? []
      const page = found.slice(from, from + size).map((row) => ({
        ...shown(row, properties),
        ...(histories
          ? { propertiesWithHistory: portal.histories(object, row.id, histories) }
          : {}),
        ...(query.has('associations') ? { associations: row.associations } : {}),
      }))
      return { body: { results: page, ...next(from + size, found.length) } }
    },
  }
}

/** `POST /crm/v3/objects/{object}/search` */
export function crmSearch(portal: Portal, object: string, size: number): MockRoute {
  return {
    body: ['properties', 'sorts', 'filterGroups', 'after', 'limit'],
    answer({ body }) {
      const { properties, sorts, filterGroups, after = '0', limit = 10 } = body
      if (Number(limit) > 200) return problem(400, 'limit is too large')
      const from = Number(after)
      const pageSize = Math.min(size, Number(limit))
      if (from + pageSize > CAP) return problem(400, `a query has ${CAP} results at most`)
      const [sort] = sorts as { propertyName: string; direction: string }[]
      if (sort?.propertyName !== changeOf(object) || sort.direction !== 'ASCENDING') {
        return problem(400, 'unexpected sort')
      }
      const [group] = filterGroups as { filters: JsonObject[] }[]
      const found = portal
        .objects(object)
        .filter((row) => !row.archived && group?.filters.every((filter) => passes(row, filter)))
        .sort((a, b) => a.updatedAt.localeCompare(b.updatedAt))
      const page = found
        .slice(from, from + pageSize)
        .map((row) => shown(row, (properties ?? []) as string[]))
      return {
        body: { total: found.length, results: page, ...next(from + pageSize, found.length) },
      }
    },
  }
}

function passes({ properties }: CrmObject, filter: JsonObject): boolean {
  const { propertyName, operator, value } = filter
  if (typeof value !== 'string') throw new Error(`the value ${JSON.stringify(value)} is no text`)
  const at = Date.parse(properties[String(propertyName)] ?? '')
  if (operator === 'GTE') return at >= Number(value)
  if (operator === 'LTE') return at <= Number(value)
  throw new Error(`the operator ${operator} is not known`)
}

/** Only properties that are asked for come. */
function shown({ associations: _, ...row }: CrmObject, asked: string[]) {
  const properties = Object.entries(row.properties).filter(([name]) => asked.includes(name))
  return { ...row, properties: Object.fromEntries(properties) }
}

export function next(from: number, length: number): { paging?: JsonValue } {
  return from < length ? { paging: { next: { after: String(from) } } } : {}
}

export const problem = (status: number, message: string, more: object = {}): MockAnswer => ({
  status,
  body: { status: 'error', message, ...more },
})
