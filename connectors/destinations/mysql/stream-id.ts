/** By what the tables of the ledger know a stream. */
import { createHash } from 'node:crypto'
import { text } from '../../../src/runtime/mysql/sql.ts'
import type { Layout } from './layout.ts'

/** Names of streams can be longer than a key. */
export const streamId = ({ plan, stream }: Layout) =>
  createHash('sha256')
    .update(JSON.stringify([plan.connectionId, stream]))
    .digest('hex')

export const STREAM_ID = 'stream_id CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL'

export const ofStream = (layout: Layout) => `stream_id = ${text(streamId(layout))}`

export const ofGeneration = (layout: Layout) =>
  `${ofStream(layout)} AND generation_id = ${Number(layout.plan.generationId)}`

export const tableOptions = ({ server }: Layout) =>
  `ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE ${server.collation} ROW_FORMAT = DYNAMIC`
