import type { MockRoutes } from '../declarative/mock-api.ts'
import { offsetPage } from '../declarative/paging.ts'
import type { MockedConnector } from '../declarative/suite.ts'
import { resourceOf } from './fixtures.ts'
import { RESOURCES } from './resources.ts'

const BASE = 'https://pokeapi.co/api/v2'
/** Fewer than the vendor's, so that few resources are several pages. */
const PAGE = 2

/** PokéAPI with synthetic resources: a list and one document for each of them. */
export const pokeapi: MockedConnector = {
  name: 'pokeapi',
  config: {},
  badConfigs: [],
  origins: ['https://pokeapi.co'],
  open() {
    const routes: MockRoutes = {}
    const streams: ReturnType<MockedConnector['open']>['streams'] = {}
    for (const [stream, [resource]] of Object.entries(RESOURCES)) {
      const rows = [1, 2, 3].map((id) => resourceOf(stream, id))
      routes[`GET /api/v2/${resource}`] = {
        query: ['limit', 'offset'],
        answer(request) {
          const page = offsetPage(request, rows, { cap: PAGE })
          const results = page.rows.map(({ id, ...row }) => ({
            ...('name' in row ? { name: row.name } : {}),
            url: `${BASE}/${resource}/${id}/`,
          }))
          return {
            body: { count: rows.length, next: page.next?.href ?? null, previous: null, results },
          }
        },
      }
      routes[`GET /api/v2/${resource}/{id}/`] = {
        answer({ params }) {
          const row = rows.find(({ id }) => String(id) === params.id)
          return row ? { body: row } : { status: 404, body: 'Not Found' }
        },
      }
      streams[stream] = { rows: () => rows.length }
    }
    return {
      routes,
      streams,
      authorize: () => undefined,
      rateLimits: [
        { answer: { status: 429, headers: { 'retry-after': '7' }, body: 'slow down' }, seconds: 7 },
        { answer: { status: 503, body: 'busy' }, seconds: 0 },
      ],
    }
  },
}
