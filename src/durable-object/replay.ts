import { AirbyteError, type StreamKey } from '../protocol/index.ts'
import type { StreamReceipt } from './rpc.ts'

interface Rejected {
  /** What the receipt says of the streams that the connection still has. */
  streams: StreamReceipt[]
  /** Of those only these, where some are named. */
  named?: StreamKey[]
  /** The generation at which a stream was last read anew. */
  openedAt(key: StreamKey): number
}

/**
 * The streams of which a sync rejected rows that are not out of date.
 *
 * @throws NOT_FOUND where it rejected none, CONFLICT for a stream that was read anew since
 */
export function replayableStreams(syncId: number, { streams, named, openedAt }: Rejected) {
  const rejected = streams.filter(
    ({ stream, rowsRejected }) => rowsRejected > 0 && (named?.includes(stream) ?? true),
  )
  if (rejected.length === 0) {
    const of = named ? ` of ${named.join(', ')}` : ''
    throw new AirbyteError('NOT_FOUND', `Sync ${syncId} rejected no rows${of}.`, {
      ...{ field: 'sync', hint: 'The receipts of syncs say how many rows were rejected.' },
    })
  }
  const outdated = rejected.find(({ stream, generationId }) => generationId < openedAt(stream))
  if (!outdated) return rejected.map(({ stream }) => stream)
  const { stream } = outdated
  const message = `${stream} was read anew since sync ${syncId} rejected rows of it.`
  const others = rejected.length > 1 ? ', or name the other streams' : ''
  throw new AirbyteError('CONFLICT', message, {
    stream,
    hint: `Its newer syncs have those rows, or rejected them themselves: load the rejects of those${others}.`,
  })
}
