import type { ConnectionConfig, ConnectionRecord, StreamConfig } from '../durable-object/rpc.ts'
import { type StreamDescriptor, streamKey } from '../protocol/index.ts'
import type { OperationContext } from './define.ts'
import { catalogOf } from './discover.ts'
import type { ScheduleInput, StreamChoice } from './fields.ts'
import { scheduleOf } from './schedule-input.ts'
import { chooseStreams, findStream } from './stream-choices.ts'

/** A connection's settings as callers give them. */
export interface ConnectionInput {
  name: string
  streams?: StreamChoice[]
  schedule?: ScheduleInput
  namespace?: string
  prefix?: string
  normalization?: ConnectionConfig['normalization']
  transfer?: ConnectionConfig['transfer']
  schemaChanges?: ConnectionConfig['schemaChanges']
  maxRejects?: number
  limits?: ConnectionConfig['limits']
}

type Settings = Omit<ConnectionInput, 'name' | 'streams' | 'schedule'>

interface Ends {
  sourceId: string
  destinationId: string
}

/**
 * Checks the streams against the source's catalog, takes the target tables and creates the connection.
 * @throws STREAM_NOT_FOUND, MODE_UNSUPPORTED, CURSOR_MISSING, PRIMARY_KEY_MISSING, SCHEDULE_INVALID,
 * NAME_TAKEN, TABLE_TAKEN, AWAITING_CREDENTIALS
 */
export async function createConnection(
  ctx: OperationContext,
  ends: Ends,
  { name, streams: choices, schedule, ...settings }: ConnectionInput,
): Promise<ConnectionRecord> {
  const config: ConnectionConfig = {
    ...DEFAULTS,
    ...defined(settings),
    ...ends,
    name,
    schedule: scheduleOf(schedule),
    streams: await streamsOf(ctx, ends, choices),
  }
  const { id } = await ctx.tenant.reserve({ kind: 'connection', name, ...ends })
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

const DEFAULTS: Pick<
  ConnectionConfig,
  'normalization' | 'transfer' | 'schemaChanges' | 'maxRejects'
> = {
  normalization: 'basic',
  transfer: 'auto',
  schemaChanges: 'propagate_columns',
  maxRejects: 1000,
}

/** Changes what is given; new streams are checked and new tables taken as at creation. */
export async function updateConnection(
  ctx: OperationContext,
  id: string,
  { streams: choices, schedule, ...settings }: Partial<ConnectionInput>,
): Promise<ConnectionRecord> {
  const connection = ctx.objects.connection(id)
  const before = await connection.get()
  const change: Partial<ConnectionConfig> = {
    ...defined(settings),
    ...(schedule && { schedule: scheduleOf(schedule) }),
    ...(choices && { streams: await streamsOf(ctx, before, choices) }),
  }
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

const defined = (settings: Partial<Settings> & { name?: string }) =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))

/** Tombstone, tables, object, row. */
export async function deleteConnection(ctx: OperationContext, id: string): Promise<void> {
  const { destinationId } = await ctx.objects.connection(id).get()
  await ctx.tenant.bury(id)
  await ctx.objects.connection(id).destroy()
  await ctx.objects.destination(destinationId).releaseTables(id)
  await ctx.tenant.forget(id)
}

async function streamsOf(
  ctx: OperationContext,
  { sourceId, destinationId }: Ends,
  choices: StreamChoice[] | undefined,
): Promise<StreamConfig[]> {
  const [{ catalog }, source, { type }] = await Promise.all([
    catalogOf(ctx, sourceId),
    ctx.objects.source(sourceId).get(),
    ctx.objects.destination(destinationId).get(),
  ])
  const { modes } = ctx.registries.destinations.get(type).capabilities
  return chooseStreams(catalog, choices, { modes, cdc: isCdc(source.config) })
}

/** As Airbyte's database sources say it: `replication_method.method` is `CDC`. */
function isCdc(config: Record<string, unknown>): boolean {
  const { replication_method: replication } = config as {
    replication_method?: { method?: string } | string
  }
  const method = typeof replication === 'string' ? replication : replication?.method
  return method?.toUpperCase() === 'CDC'
}

/** Two connections may not write one table. */
async function claimTables(ctx: OperationContext, id: string, config: ConnectionConfig) {
  const destination = ctx.objects.destination(config.destinationId)
  const { type } = await destination.get()
  const { namespaces } = ctx.registries.destinations.get(type).capabilities
  const tables = config.streams.map(({ name, namespace: own }) => {
    const namespace = namespaces ? (config.namespace ?? own) : undefined
    return streamKey({ name: `${config.prefix ?? ''}${name}`, namespace })
  })
  await destination.claimTables(id, config.name, tables)
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
