import { nearest } from '../core/nearest.ts'
import type { SyncSummary } from '../durable-object/rpc.ts'
import {
  AirbyteError,
  type FieldRange,
  type StreamDescriptor,
  streamKey,
} from '../protocol/index.ts'
import { streamOf } from './connections.ts'
import type { OperationContext } from './define.ts'
import { catalogOf } from './discover.ts'

/**
 * Starts the backfill of one stream. A field that the source does not have is refused at once; what
 * only the source can judge, such as a value, fails the sync.
 *
 * @throws STREAM_NOT_FOUND, VALIDATION_FAILED, MODE_UNSUPPORTED, UNSUPPORTED, SYNC_RUNNING
 */
export async function startBackfill(
  ctx: OperationContext,
  connectionId: string,
  wanted: string | StreamDescriptor,
  range: FieldRange,
): Promise<SyncSummary> {
  if (range.from === undefined && range.to === undefined) {
    throw new AirbyteError('VALIDATION_FAILED', 'A backfill needs from, to, or both.', {
      ...{ field: 'from', hint: 'To read the whole stream again, refresh it.' },
    })
  }
  const connection = ctx.objects.connection(connectionId)
  const record = await connection.get()
  const stream = streamOf(record, wanted, 'stream')
  await requireField(ctx, record.sourceId, stream, range.field)
  return connection.startSync({ trigger: 'manual', backfill: { stream, ...range } })
}

async function requireField(
  ctx: OperationContext,
  sourceId: string,
  stream: StreamDescriptor,
  field: string,
): Promise<void> {
  const columns = async (refresh: boolean) => {
    const { catalog } = await catalogOf(ctx, sourceId, refresh)
    const found = catalog.streams.find((known) => streamKey(known) === streamKey(stream))
    return Object.keys(found?.json_schema.properties ?? {})
  }
  if ((await columns(false)).includes(field)) return
  // It may be newer than the stored catalog.
  const now = await columns(true)
  if (now.includes(field)) return
  throw new AirbyteError('VALIDATION_FAILED', `${streamKey(stream)} has no column '${field}'.`, {
    ...{ stream: streamKey(stream), field: 'field', didYouMean: nearest(field, now) },
  })
}
