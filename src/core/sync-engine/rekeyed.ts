import { type StreamKey, streamKey } from '../../protocol/index.ts'
import type { SyncStreamInput } from './types.ts'

type StreamConfig = SyncStreamInput['config']

/**
 * Deduplicated streams whose key a change of their mapping writes otherwise: hashed or not, or under
 * another name. No row that is there is found by its key any more: it would be there twice.
 */
export function rekeyedStreams(before: StreamConfig[], after: StreamConfig[]): StreamKey[] {
  const old = new Map(before.map((config) => [streamKey(config), config]))
  return after.flatMap((config) => {
    const key = streamKey(config)
    const was = old.get(key)
    const isMerged = config.destinationSyncMode === 'append_dedup'
    return was && isMerged && writtenKey(config, was) !== writtenKey(config, config) ? [key] : []
  })
}

/** How the columns of a key are written by a mapping. */
const writtenKey = ({ primaryKey = [] }: StreamConfig, { mapping = {} }: StreamConfig): string =>
  JSON.stringify(
    primaryKey.map(([top = '']) => [
      mapping.hash?.includes(top) ?? false,
      Object.entries(mapping.rename ?? {}).find(([name]) => name === top)?.[1] ?? top,
    ]),
  )
