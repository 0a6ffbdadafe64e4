import type { ConnectionConfig } from '../durable-object/rpc.ts'
import { AirbyteError, streamKey } from '../protocol/index.ts'
import { connectorOf } from './actors.ts'
import type { OperationContext } from './define.ts'

/**
 * A continuous connection starts a sync when its source's log has changes: so there must be a log, and
 * every stream must be read from it.
 * @throws SCHEDULE_INVALID, naming the field to change
 */
export async function checkContinuous(
  ctx: OperationContext,
  { sourceId, schedule, streams }: Pick<ConnectionConfig, 'sourceId' | 'schedule' | 'streams'>,
): Promise<void> {
  if (schedule.type !== 'continuous') return
  const record = await ctx.objects.source(sourceId).get()
  const { info, log } = await connectorOf(ctx, 'source', record)
  if (!log) {
    throw invalid(`${info.title} has no log that could be followed.`, 'schedule.continuous', {
      hint: 'Give the connection an interval, for example intervalSeconds 300, or a cron.',
    })
  }
  if (!log.isUsed(record.config)) {
    throw invalid(`The source '${record.name}' does not read its log.`, 'schedule.continuous', {
      hint: 'Set config.replication_method of the source to the method CDC, or give the connection an interval.',
    })
  }
  const at = streams.findIndex(({ syncMode }) => syncMode !== 'incremental')
  const stream = streams[at]
  if (!stream) return
  const key = streamKey(stream)
  throw invalid(
    `${key} is not read from the log, so nothing tells when to read it.`,
    `streams[${at}].syncMode`,
    { stream: key, hint: `Sync ${key} incrementally (cdc), or in a connection of its own.` },
  )
}

const invalid = (message: string, field: string, more: { hint: string; stream?: string }) =>
  new AirbyteError('SCHEDULE_INVALID', message, { field, ...more })
