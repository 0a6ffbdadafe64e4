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

const defined = (settings: object) =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))

/**
 * What a change makes of a connection's settings; only what is given.
 *
 * @param refresh look at the source now, whatever is cached
 */
export async function changeOf(
  ctx: OperationContext,
  before: Ends,
  { streams: choices, schedule, ...settings }: Partial<ConnectionInput>,
  refresh = false,
): Promise<Partial<ConnectionConfig>> {
  const streams = async () => {
    const { catalog } = await catalogOf(ctx, before.sourceId, refresh)
    return chosenFrom(ctx, catalog, before, choices)
  }
  return {
    ...defined(settings),
    ...(schedule && { schedule: scheduleOf(schedule) }),
    ...(choices && { streams: await streams() }),
  }
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
