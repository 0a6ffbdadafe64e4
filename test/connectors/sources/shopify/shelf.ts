import type { JsonObject } from '../../../../src/protocol/index.ts'
import type { MockRoutes } from '../declarative/mock-api.ts'
import type { MockedStream } from '../declarative/suite.ts'
import type { GraphqlList } from './graphql.ts'
import { type RestList, restList } from './rest.ts'
import { type Store, shopTime } from './store.ts'

export const API = '/admin/api/2026-07'
export const ROWS = 3
export const UPDATED = { field: 'updated_at', from: 'updated_at_min', to: 'updated_at_max' }

/** Where the groups of streams put what they have. */
export interface Shelf {
  store: Store
  routes: MockRoutes
  streams: Record<string, MockedStream>
  /** By the names of GraphQL's queries. */
  queries: Record<string, GraphqlList>
}

export function addRoute(shelf: Shelf, path: string, list: RestList): void {
  shelf.routes[`GET ${API}/${path}`] = restList(shelf.store, list)
}

/** Rows with a moment of their last change, which a list is filtered by. */
export function addUpdated(
  shelf: Shelf,
  stream: string,
  list: RestList,
  path: string,
  known: () => JsonObject = () => ({}),
): void {
  const { field, from } = list.range ?? UPDATED
  const add = (count: number) =>
    times(count, () =>
      shelf.store.add(stream, { [field]: shopTime(shelf.store.tick()), ...known() }),
    )
  add(ROWS)
  addRoute(shelf, path, list)
  const rows = shelf.store.rows(stream)
  shelf.streams[stream] = {
    rows: () => rows.length,
    incremental: {
      ...{ sends: from, again: true, grow: () => add(3) },
      touch: () => Object.assign(rows[0] ?? {}, { [field]: shopTime(shelf.store.tick()) }),
    },
  }
}

export function times(count: number, make: () => unknown): void {
  for (let n = 0; n < count; n++) make()
}
