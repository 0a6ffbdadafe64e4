import { targetKey } from '../core/sync-engine/connection-tables.ts'
import type { ConnectionConfig, StreamConfig } from '../durable-object/rpc.ts'
import type { AirbyteCatalog, StreamDescriptor } from '../protocol/index.ts'
import { checkContinuous } from './continuous.ts'
import type { OperationContext } from './define.ts'
import { catalogOf } from './discover.ts'
import type { ScheduleInput, StreamChoice } from './fields.ts'
import { scheduleOf } from './schedule-input.ts'
import { chooseStreams } from './stream-choices.ts'

/** A connection's settings as callers give them. */
export interface ConnectionInput {
  name: string
  streams?: StreamChoice[]
  schedule?: ScheduleInput
  namespace?: string
  prefix?: string
  normalization?: ConnectionConfig['normalization']
  flattening?: ConnectionConfig['flattening']
  transfer?: ConnectionConfig['transfer']
  schemaChanges?: ConnectionConfig['schemaChanges']
  maxRejects?: number
  limits?: ConnectionConfig['limits']
  freshnessSeconds?: number
}

export interface Ends {
  sourceId: string
  destinationId: string
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

/**
 * What a new connection would be: settings with their defaults, streams checked against the catalog.
 *
 * @param refresh look at the source now, whatever is cached
 */
export async function configOf(
  ctx: OperationContext,
  ends: Ends,
  { name, streams: choices, schedule, ...settings }: ConnectionInput,
  refresh = false,
): Promise<{ config: ConnectionConfig; catalog: AirbyteCatalog }> {
  const { catalog } = await catalogOf(ctx, ends.sourceId, refresh)
  const config: ConnectionConfig = {
    ...DEFAULTS,
    ...defined(settings),
    ...ends,
    name,
    schedule: scheduleOf(schedule),
    streams: await chosenFrom(ctx, catalog, ends, choices),
  }
  await checkContinuous(ctx, config)
  return { config, catalog }
}

export const defined = (settings: object) =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))

/** The streams that were asked for, in modes that both ends can do. */
export async function streamsOf(
  ctx: OperationContext,
  ends: Ends,
  choices: StreamChoice[] | undefined,
): Promise<StreamConfig[]> {
  const { catalog } = await catalogOf(ctx, ends.sourceId)
  return chosenFrom(ctx, catalog, ends, choices)
}

async function chosenFrom(
  ctx: OperationContext,
  catalog: AirbyteCatalog,
  { sourceId, destinationId }: Ends,
  choices: StreamChoice[] | undefined,
): Promise<StreamConfig[]> {
  const [source, { type }] = await Promise.all([
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

/** The tables that a connection writes, as its destination keeps their owners. */
export async function tablesOf(
  ctx: OperationContext,
  config: Omit<ConnectionConfig, 'streams'> & { streams: StreamDescriptor[] },
): Promise<string[]> {
  const { type } = await ctx.objects.destination(config.destinationId).get()
  const { namespaces } = ctx.registries.destinations.get(type).capabilities
  return config.streams.map((stream) => targetKey(config, stream, namespaces))
}
