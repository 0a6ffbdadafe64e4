import type { ConfiguredStream, JsonValue, StreamKey } from '../../protocol/index.ts'

type Freeze = (streams: ConfiguredStream[]) => Promise<Map<StreamKey, JsonValue>>

/** Whether the stream of a source is read from its log, if the source is to use one. */
export const isFollowed = (usesLog: boolean, { syncMode }: ConfiguredStream): boolean =>
  usesLog && syncMode === 'incremental'

/** Upper bounds of streams that are read from the log, and of those that are read from their tables. */
export async function freezeByRoad(
  streams: ConfiguredStream[],
  usesLog: boolean,
  { fromLog, fromTables }: { fromLog: Freeze; fromTables: Freeze },
): Promise<Map<StreamKey, JsonValue>> {
  const followed = streams.filter((configured) => isFollowed(usesLog, configured))
  const others = streams.filter((configured) => !isFollowed(usesLog, configured))
  return new Map([
    ...(followed.length > 0 ? await fromLog(followed) : []),
    ...(others.length > 0 ? await fromTables(others) : []),
  ])
}
