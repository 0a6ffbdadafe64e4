import {
  AirbyteError,
  type AirbyteStream,
  fromRecord,
  type StreamKey,
  streamKey,
  toAirbyteError,
} from '../../protocol/index.ts'
import { faultPoint } from '../fault-points.ts'
import { type ConnectionTable, tablesOfArrays } from './connection-tables.ts'
import type { TaskHost } from './host.ts'
import { planFingerprint } from './plan-fingerprint.ts'
import { planStream } from './plan-stream.ts'
import type { Slice } from './run-task.ts'
import type { FailedStream, PlanClaim, PlannedStream, SyncStreamInput } from './types.ts'

type PlanSlice = Slice<PlanClaim>
type OpenSource = Awaited<ReturnType<TaskHost['openSource']>>
type OpenDestination = Awaited<ReturnType<TaskHost['openDestination']>>

/** Discovers, decides per stream what is read and how it travels, and freezes the upper bounds. */
export async function runPlanSlice(slice: PlanSlice): Promise<void> {
  const { sync, claim, host, ctx } = slice
  const source = await host.openSource(claim)
  const destination = await host.openDestination(claim)
  const { streams, tables } = await streamsToPlan(slice)
  const { streams: found } = await source.connector.discover(ctx, source.config)
  const added = claim.input.addsStreams
    ? await host.addStreams?.(claim, newTo(streams, found))
    : undefined
  for (const { message } of added?.warnings ?? []) ctx.log('info', message)
  const all = [...streams, ...(added?.streams ?? [])]
  const { planned, failed } = await planAll(slice, { source, destination, found, tables }, all)
  // Nothing of a source is read for rows that are loaded again.
  const reads = !all.some(({ replay }) => replay)
  if (reads) await freeze(slice, source, planned)
  const unchanged = reads ? await unchangedOf(slice, source, all, planned) : []
  await slice.flushLog()
  await faultPoint('plan.frozen')
  const parts = partsOf(planned)
  for (const [i, part] of parts.entries()) {
    await sync.planned(claim.taskId, claim.fence, {
      streams: part,
      ...(i === 0 && added && { added }),
      ...(i === parts.length - 1 && { last: { failed, unchanged } }),
    })
  }
}

async function streamsToPlan({ sync, claim }: PlanSlice) {
  const streams: SyncStreamInput[] = []
  for (let after = 0; ; ) {
    const page = await sync.toPlan(claim.taskId, claim.fence, after)
    streams.push(...page.streams)
    if (page.next === undefined) return { streams, tables: page.tables ?? [] }
    after = page.next
  }
}

interface Ends {
  source: OpenSource
  destination: OpenDestination
  found: AirbyteStream[]
  tables: ConnectionTable[]
}

async function planAll(
  slice: PlanSlice,
  { source, destination, found, tables }: Ends,
  streams: SyncStreamInput[],
): Promise<{ planned: PlannedStream[]; failed: FailedStream[] }> {
  const { claim, host } = slice
  const capabilities = {
    source: source.connector.capabilities,
    destination: destination.connector.capabilities,
  }
  const byKey = new Map(found.map((stream) => [streamKey(stream), stream]))
  const planned: PlannedStream[] = []
  const failed: FailedStream[] = []
  for (const stream of streams) {
    const key = streamKey(stream.config)
    try {
      const own = byKey.get(key)
      if (!own) throw await missing(slice, source, stream)
      const plan = planStream({ ...claim.input, tables }, stream, own, capabilities)
      const arrays = tablesOfArrays(plan)
      if (arrays.length > 0) await host.claimTables?.(claim, arrays)
      tables.push(...arrays)
      planned.push({ ...plan, fingerprint: planFingerprint(plan, destination.edition) })
    } catch (error) {
      failed.push(failure(key, stream, error))
    }
  }
  return { planned, failed }
}

function newTo(streams: SyncStreamInput[], found: AirbyteStream[]): AirbyteStream[] {
  const own = new Set(streams.map(({ config }) => streamKey(config)))
  return found.filter((stream) => !own.has(streamKey(stream)))
}

const statesOf = (planned: PlannedStream[]) => ({
  streams: new Map(
    planned.flatMap((p) => (p.stateBefore ? [[p.key, p.stateBefore] as const] : [])),
  ),
})

async function freeze(
  { ctx, host }: PlanSlice,
  { connector, config }: OpenSource,
  planned: PlannedStream[],
): Promise<void> {
  const configured = planned.map((p) => p.configured)
  const started = host.now()
  const bounds = await connector.freeze?.(ctx, config, configured, statesOf(planned))
  if (!bounds) return
  ctx.log('debug', `froze ${bounds.size} upper bounds in ${host.now() - started} ms`)
  for (const stream of planned) {
    const bound = bounds.get(stream.key)
    if (bound !== undefined) stream.configured = { ...stream.configured, upperBound: bound }
  }
}

/**
 * Streams that need not be taken up at all. Only those with whose plan everything went well the last
 * time: at their destination nothing is left to be done or to be found out.
 */
async function unchangedOf(
  { ctx }: PlanSlice,
  { connector, config }: OpenSource,
  streams: SyncStreamInput[],
  planned: PlannedStream[],
): Promise<StreamKey[]> {
  const settled = new Map(streams.map((stream) => [streamKey(stream.config), stream.settled]))
  const candidates = planned.filter(
    ({ key, fingerprint, configured, stateBefore }) =>
      stateBefore !== null &&
      configured.syncMode === 'incremental' &&
      fingerprint !== undefined &&
      settled.get(key) === fingerprint,
  )
  if (candidates.length === 0 || !connector.unchanged) return []
  const configured = candidates.map((p) => p.configured)
  const found = await connector.unchanged(ctx, config, configured, statesOf(candidates))
  return candidates.map(({ key }) => key).filter((key) => found.has(key))
}

/** Columns in one report: together they are some megabytes. */
const COLUMNS_A_PART = 10_000

/** At least one part, however little was planned. */
function partsOf(planned: PlannedStream[]): PlannedStream[][] {
  const parts: PlannedStream[][] = []
  let part: PlannedStream[] = []
  let columns = 0
  for (const stream of planned) {
    part.push(stream)
    columns += stream.plan.columns.length
    if (columns < COLUMNS_A_PART) continue
    parts.push(part)
    part = []
    columns = 0
  }
  return part.length > 0 || parts.length === 0 ? [...parts, part] : parts
}

async function missing(
  { ctx }: PlanSlice,
  { connector, config }: OpenSource,
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
