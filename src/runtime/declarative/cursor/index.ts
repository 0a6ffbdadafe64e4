import type { JsonObject, JsonValue } from '../../../protocol/index.ts'
import { type Builders, build, type Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import { type Bookmark, partitionedBookmark, singleBookmark } from './bookmark.ts'
import { countCursor } from './count-cursor.ts'
import { datetimeCursor } from './datetime-cursor.ts'
import type { StreamCursor } from './types.ts'

export type { Bookmark } from './bookmark.ts'
export { type CursorProgress, greatestOf, type StreamCursor } from './types.ts'

/** A cursor and the state that it keeps for a stream. */
export interface Tracking {
  cursor: StreamCursor
  bookmark: Bookmark
}

/** What a stream's read was begun with, and what an earlier invocation of it kept. */
export interface Beginning {
  env: Environment
  /** The stream's partition routers. */
  routers: Component[]
  /** In the CDK's format. */
  state: JsonObject
  /** @see StreamCursor.ends */
  ends?: [string, string] | null
  /** @see Bookmark.serialize */
  saved?: JsonValue
}

export const buildTracking = (component: Component, beginning: Beginning): Tracking =>
  build(CURSORS, component, beginning)

const CURSORS: Builders<Tracking, Beginning> = {
  DatetimeBasedCursor(component, { env, routers, state, ends, saved }) {
    const cursor = datetimeCursor(component, env, ends)
    if (routers.length === 0) return { cursor, bookmark: singleBookmark(cursor, state) }
    const grouped = routers.some(({ type }) => type === 'GroupingPartitionRouter')
    const shared = grouped ? { ...cursor, global: true } : cursor
    return { cursor, bookmark: partitionedBookmark(shared, state, saved) }
  },

  IncrementingCountCursor(component, { env, routers, state }) {
    if (routers.length > 0) {
      throw component.refuse('A count has no state for each partition: it goes without a router.')
    }
    const cursor = countCursor(component, env)
    return { cursor, bookmark: singleBookmark(cursor, state) }
  },
}
