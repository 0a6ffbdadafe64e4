import {
  type ConfiguredStream,
  type JsonObject,
  type StreamKey,
  type StreamState,
  streamKey,
} from '../../protocol/index.ts'
import type { ConnectorContext, ReadState } from '../contract.ts'
import type { CdcBound, CdcState } from './followed-state.ts'
import { changesOf } from './freeze-followed.ts'

/** The log is waited for as long as this; when it is not staged by then, every stream is read. */
const PATIENCE_MS = 12_000
const WAIT_MS = 1_500

/**
 * Of these streams of one log those that were read up to a place after which the log has nothing of
 * them, up to its end as it was frozen. So a sync of thousands of tables takes up those that changed.
 *
 * @param hasPassed whether everything that was committed before the place is at or before the position
 */
export async function unchangedFollowed(
  ctx: ConnectorContext,
  streams: ConfiguredStream[],
  { streams: states }: ReadState,
  hasPassed: (position: JsonObject, place: string) => boolean,
): Promise<Set<StreamKey>> {
  const following = streams.flatMap((configured) => {
    const bound = configured.upperBound as unknown as CdcBound | undefined
    const key = streamKey(configured.stream)
    return bound?.type === 'cdc' && isFollowing(states.get(key), bound) ? [{ key, bound }] : []
  })
  const [first] = following
  if (!first) return new Set()
  const { log, end: goal, segment, position } = first.bound
  let after = { segment, position }
  for (const until = ctx.now() + PATIENCE_MS; ; ) {
    const { streams: unloaded, end } = await changesOf(ctx).unloaded(log, after, WAIT_MS)
    const changed = new Set(unloaded)
    const unchanged = following.map(({ key }) => key).filter((key) => !changed.has(key))
    if (unchanged.length === 0 || hasPassed(end.position, goal)) return new Set(unchanged)
    if (ctx.now() >= until) return new Set()
    after = end
  }
}

/** Nothing of the stream is begun: no snapshot, no part of the log, no way to where it is right. */
function isFollowing(saved: StreamState | undefined, { log, error }: CdcBound): boolean {
  const state = saved as unknown as CdcState | undefined
  if (state?.type !== 'cdc' || state.log !== log || error) return false
  return !state.snapshot && state.skip === undefined && state.rightFrom === undefined
}
