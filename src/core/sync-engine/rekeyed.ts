import { type StreamKey, streamKey } from '../../protocol/index.ts'
import { keyColumns, type RowBasis } from './row-basis.ts'
import type { SyncStreamInput } from './types.ts'

type StreamConfig = SyncStreamInput['config']

/**
 * Deduplicated streams whose key a change of their mapping writes otherwise: hashed or not, or under
 * another name. No row that is there is found by its key any more: it would be there twice.
 *
 * @param writtenOf how a stream's rows have it, also of one that was left out for a time
 */
export function rekeyedStreams(
  before: StreamConfig[],
  after: StreamConfig[],
  writtenOf: (stream: StreamKey) => RowBasis['key'],
): StreamKey[] {
  const old = new Map(before.map((config) => [streamKey(config), config]))
  return after.flatMap((config) => {
    const { primaryKey = [], destinationSyncMode, mapping } = config
    if (destinationSyncMode !== 'append_dedup') return []
    const key = streamKey(config)
    const was = old.get(key)
    const written = writtenOf(key) ?? (was && keyColumns(primaryKey, was.mapping)) ?? {}
    const now = Object.entries(keyColumns(primaryKey, mapping))
    const isRekeyed = ([name, { as, hashed }]: (typeof now)[number]) => {
      const there = written[name]
      return there !== undefined && (there.as !== as || there.hashed !== hashed)
    }
    return now.some(isRekeyed) ? [key] : []
  })
}
