import {
  AirbyteError,
  type AirbyteStream,
  fromRecord,
  type StreamKey,
  streamKey,
  toAirbyteError,
} from '../../protocol/index.ts'
import { faultPoint } from '../fault-points.ts'
import { tablesOfArrays } from './connection-tables.ts'
import { planStream } from './plan-stream.ts'
import type { Slice } from './run-task.ts'
import type { FailedStream, PlanClaim, PlannedStream, SyncStreamInput } from './types.ts'

/** Discovers, decides per stream what is read and how it travels, and freezes the upper bounds. */
export async function runPlanSlice(slice: Slice<PlanClaim>): Promise<void> {
  const { sync, claim, host, ctx } = slice
  const source = await host.openSource(claim)
  const destination = await host.openDestination(claim)
  const catalog = await source.connector.discover(ctx, source.config)
  const byKey = new Map(catalog.streams.map((stream) => [streamKey(stream), stream]))
  const planned: PlannedStream[] = []
  const failed: FailedStream[] = []
  const tables = [...(claim.input.tables ?? [])]
  const added = claim.input.addsStreams
    ? await host.addStreams?.(claim, newTo(claim, catalog.streams))
    : undefined
  for (const { message } of added?.warnings ?? []) ctx.log('info', message)
  for (const stream of [...claim.input.streams, ...(added?.streams ?? [])]) {
    const key = streamKey(stream.config)
    try {
      const found = byKey.get(key)
      if (!found) throw await missing(slice, source, stream)
      const capabilities = {
        source: source.connector.capabilities,
        destination: destination.connector.capabilities,
      }
      const plan = planStream({ ...claim.input, tables }, stream, found, capabilities)
      const arrays = tablesOfArrays(plan)
      if (arrays.length > 0) await host.claimTables?.(claim, arrays)
      tables.push(...arrays)
      planned.push(plan)
    } catch (error) {
      failed.push(failure(key, stream, error))
    }
  }
  await freeze(slice, source, planned)
  await faultPoint('plan.frozen')
  await sync.planned(claim.taskId, claim.fence, planned, failed, added)
}

function newTo({ input }: PlanClaim, found: AirbyteStream[]): AirbyteStream[] {
  const own = new Set(input.streams.map(({ config }) => streamKey(config)))
  return found.filter((stream) => !own.has(streamKey(stream)))
}

async function freeze(
  { ctx, host, claim }: Slice<PlanClaim>,
  source: Awaited<ReturnType<Slice['host']['openSource']>>,
  planned: PlannedStream[],
): Promise<void> {
  // Nothing of a source is read for rows that are loaded again.
  if (claim.input.streams.some(({ replay }) => replay)) return
  const states = planned.flatMap((p) => (p.stateBefore ? [[p.key, p.stateBefore] as const] : []))
  const configured = planned.map((p) => p.configured)
  const started = host.now()
  const bounds = await source.connector.freeze?.(ctx, source.config, configured, {
    streams: new Map(states),
  })
  if (!bounds) return
  ctx.log('debug', `froze ${bounds.size} upper bounds in ${host.now() - started} ms`)
  for (const stream of planned) {
    const bound = bounds.get(stream.key)
    if (bound !== undefined) stream.configured = { ...stream.configured, upperBound: bound }
  }
}

async function missing(
  { ctx }: Slice<PlanClaim>,
  { connector, config }: Awaited<ReturnType<Slice['host']['openSource']>>,
  stream: SyncStreamInput,
): Promise<AirbyteError> {
  const key = streamKey(stream.config)
  const why = await connector.whyMissing?.(ctx, config, stream.config)
  if (why) return fromRecord({ ...why, stream: key })
  return new AirbyteError('STREAM_NOT_FOUND', `The source no longer has the stream ${key}.`, {
    stream: key,
  })
}

const failure = (key: StreamKey, stream: SyncStreamInput, error: unknown): FailedStream => ({
  key,
  error: toAirbyteError(error).toJSON(),
  mode: { sync: stream.config.syncMode, destination: stream.config.destinationSyncMode },
  generationId: stream.generationId,
})
