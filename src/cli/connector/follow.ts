import {
  type ConfiguredStream,
  type JsonObject,
  type ReadEvent,
  type StreamState,
  streamKey,
} from '../../protocol/index.ts'
import type { ConnectorContext, ReadState, Source } from '../../runtime/contract.ts'
import type { SourceLog } from '../../runtime/source-log.ts'
import { LocalLog, savedLogOf } from './local-log.ts'

/** A source whose log is read by nobody else, as one whose reader runs in this process. */
export function following(source: Source, log: SourceLog): Source {
  return {
    ...source,
    read: (ctx, config, streams, state) => follow(source, log, ctx, config, streams, state),
  }
}

/** Each state says, for all streams together, from where the log is read next: the least of them. */
async function* follow(
  source: Source,
  log: SourceLog,
  ctx: ConnectorContext,
  config: JsonObject,
  streams: ConfiguredStream[],
  given: ReadState,
): AsyncGenerator<ReadEvent> {
  const saved = savedLogOf(given.shared, given.streams.values())
  const local = new LocalLog(log, ctx, config, saved)
  const states = new Map(
    Array.from(given.streams, ([key, state]) => [key, from(state, saved?.place.position)]),
  )
  const following: ConnectorContext = { ...ctx, changes: local }
  try {
    const state = { streams: states }
    const bounds = await source.freeze?.(following, config, streams, state)
    const bounded = streams.map((configured) => {
      const upperBound = bounds?.get(streamKey(configured.stream))
      return upperBound === undefined ? configured : { ...configured, upperBound }
    })
    for await (const event of source.read(following, config, bounded, state)) {
      if (event.type !== 'state') {
        yield event
        continue
      }
      states.set(event.stream, event.state)
      yield { ...event, shared: local.saved(positionsOf(streams, states)) as unknown as JsonObject }
    }
  } finally {
    await local.close()
  }
}

/** Segments are counted from this read's first one on. */
function from(state: StreamState, position: JsonObject | undefined): StreamState {
  if (state.type !== 'cdc' || !position) return state
  const { skip: _skip, ...kept } = state
  return { ...kept, segment: 0, position }
}

/** Of the streams that are in the log already; the others begin at the end of it. */
const positionsOf = (streams: ConfiguredStream[], states: ReadState['streams']) =>
  streams.flatMap(({ stream }) => {
    const state = states.get(streamKey(stream))
    return state?.type === 'cdc' ? [state.position as JsonObject] : []
  })
