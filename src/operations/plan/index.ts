/** What a connection would do, before it does it; and a hash that holds its creation to that. */
import { tablesOfArrays } from '../../core/sync-engine/connection-tables.ts'
import type { ConnectionConfig } from '../../durable-object/rpc.ts'
import { type AirbyteCatalog, AirbyteError } from '../../protocol/index.ts'
import { type ConnectionInput, configOf, type Ends, tablesOf } from '../connection-config.ts'
import type { OperationContext } from '../define.ts'
import { scheduleView } from '../views.ts'
import { estimateOf } from './estimate.ts'
import { hashOf, requireSame } from './hash.ts'
import { shownOf } from './shown.ts'
import { planStreams } from './streams.ts'
import { warningsOf } from './warnings.ts'

/**
 * Looks at both ends as they are now. Nothing is created, claimed or written.
 * @throws what creating the connection would
 */
export async function planConnection(ctx: OperationContext, ends: Ends, input: ConnectionInput) {
  const { config, catalog } = await configOf(ctx, ends, input, true)
  const { streams, hash } = await look(ctx, config, catalog)
  const { name, schedule, normalization, schemaChanges } = config
  return {
    planHash: hash,
    name,
    schedule: scheduleView(schedule),
    ...{ normalization, schemaChanges },
    ...shownOf(streams),
    estimate: estimateOf(streams),
    warnings: warningsOf(streams),
  }
}

/** @throws PLAN_CHANGED naming what is different */
export async function requirePlan(
  ctx: OperationContext,
  config: ConnectionConfig,
  catalog: AirbyteCatalog,
  planned: string,
): Promise<void> {
  const { hash } = await look(ctx, config, catalog)
  requireSame(planned, hash, 'created')
}

/** @throws NAME_TAKEN unless the name is free, or that of the connection itself */
export async function requireFreeName(ctx: OperationContext, name: string, own?: string) {
  const taken = await ctx.tenant.find('connection', name)
  if (!taken || taken.id === own) return
  throw new AirbyteError('NAME_TAKEN', `There already is a connection called '${name}'.`, {
    field: 'name',
  })
}

async function look(ctx: OperationContext, config: ConnectionConfig, catalog: AirbyteCatalog) {
  const { name, sourceId, destinationId } = config
  await requireFreeName(ctx, name)
  const tables = await tablesOf(ctx, config)
  await ctx.objects.destination(destinationId).checkTables('', tables)
  const [source, destination] = await Promise.all([
    ctx.objects.source(sourceId).get(),
    ctx.objects.destination(destinationId).get(),
  ])
  const streams = await planStreams(ctx, config, catalog, { source, destination })
  const arrays = streams.flatMap(({ planned }) => (planned ? tablesOfArrays(planned) : []))
  if (arrays.length > 0) {
    const theirs = await tablesOf(ctx, { ...config, streams: arrays })
    await ctx.objects.destination(destinationId).checkTables('', theirs)
  }
  return { streams, hash: hashOf({ config, source, destination, streams }) }
}
