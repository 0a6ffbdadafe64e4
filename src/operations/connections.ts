import type { ConnectionConfig, ConnectionRecord } from '../durable-object/rpc.ts'
import type { StreamDescriptor } from '../protocol/index.ts'
import {
  type ConnectionInput,
  changeOf,
  configOf,
  type Ends,
  tablesOf,
} from './connection-config.ts'
import { checkContinuous } from './continuous.ts'
import type { OperationContext } from './define.ts'
import { requirePlan } from './plan/index.ts'
import { findStream } from './stream-choices.ts'

/**
 * Checks the streams against the source's catalog, takes the target tables and creates the connection.
 *
 * @param planHash of the plan that the caller saw: nothing is created unless it still holds
 * @throws STREAM_NOT_FOUND, MODE_UNSUPPORTED, CURSOR_MISSING, PRIMARY_KEY_MISSING, SCHEDULE_INVALID,
 * NAME_TAKEN, TABLE_TAKEN, AWAITING_CREDENTIALS, PLAN_CHANGED
 */
export async function createConnection(
  ctx: OperationContext,
  ends: Ends,
  input: ConnectionInput,
  planHash?: string,
): Promise<ConnectionRecord> {
  const { config, catalog } = await configOf(ctx, ends, input, planHash !== undefined)
  if (planHash !== undefined) await requirePlan(ctx, config, catalog, planHash)
  const { id } = await ctx.tenant.reserve({ kind: 'connection', name: config.name, ...ends })
  const object = ctx.objects.connection(id)
  try {
    await claimTables(ctx, id, config)
    const record = await object.create({ id, tenantId: ctx.tenantId, ...config })
    await ctx.tenant.activate(id, { status: record.status, nextRunAt: record.nextRunAt })
    return record
  } catch (error) {
    await object.destroy()
    await ctx.objects.destination(ends.destinationId).releaseTables(id)
    await ctx.tenant.release(id)
    throw error
  }
}

/** Changes what is given; new streams are checked and new tables taken as at creation. */
export async function updateConnection(
  ctx: OperationContext,
  id: string,
  input: Partial<ConnectionInput>,
): Promise<ConnectionRecord> {
  const connection = ctx.objects.connection(id)
  const before = await connection.get()
  const change = await changeOf(ctx, before, input)
  if (change.schedule || change.streams) await checkContinuous(ctx, { ...before, ...change })
  if (change.name !== undefined) await ctx.tenant.touch(id, { name: change.name })
  try {
    await claimTables(ctx, id, { ...before, ...change })
    const record = await connection.update(change)
    await ctx.tenant.recordConnection(record)
    return record
  } catch (error) {
    await ctx.tenant.touch(id, { name: before.name })
    await claimTables(ctx, id, before)
    throw error
  }
}

/** Tombstone, tables, object, row. */
export async function deleteConnection(ctx: OperationContext, id: string): Promise<void> {
  const { destinationId } = await ctx.objects.connection(id).get()
  await ctx.tenant.bury(id)
  await ctx.objects.connection(id).destroy()
  await ctx.objects.destination(destinationId).releaseTables(id)
  await ctx.tenant.forget(id)
}

/** Two connections may not write one table. */
async function claimTables(ctx: OperationContext, id: string, config: ConnectionConfig) {
  const tables = await tablesOf(ctx, config)
  await ctx.objects.destination(config.destinationId).claimTables(id, config.name, tables)
}

/** Streams of a connection by name; nothing given means all (undefined). */
export async function connectionStreams(
  ctx: OperationContext,
  connectionId: string,
  names: (string | StreamDescriptor)[] | undefined,
): Promise<StreamDescriptor[] | undefined> {
  if (!names) return undefined
  const record = await ctx.objects.connection(connectionId).get()
  return names.map((wanted, i) => streamOf(record, wanted, `streams[${i}]`))
}

/** The stream of a connection that a name means; `field` is where the caller gave it. */
export function streamOf(
  { streams }: ConnectionRecord,
  wanted: string | StreamDescriptor,
  field: string,
): StreamDescriptor {
  const catalog = {
    streams: streams.map(({ name, namespace }) => ({
      ...{ name, namespace, json_schema: {}, supported_sync_modes: [] },
    })),
  }
  const { name, namespace } = findStream(catalog, wanted, field, 'connection')
  return { name, ...(namespace !== undefined && { namespace }) }
}
