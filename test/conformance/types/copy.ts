import { following } from '../../../src/cli/connector/follow.ts'
import { addRows, emptyRowHash, formatRowHash } from '../../../src/core/row-hash.ts'
import { ChunkPipeline } from '../../../src/core/sync-engine/chunk-pipeline.ts'
import { planStream } from '../../../src/core/sync-engine/plan-stream.ts'
import type { PlannedStream } from '../../../src/core/sync-engine/types.ts'
import {
  type AirbyteStream,
  type Batch,
  fromRecord,
  type JsonObject,
  type StreamState,
  streamKey,
} from '../../../src/protocol/index.ts'
import type {
  ConnectorContext,
  Destination,
  Loader,
  Source,
} from '../../../src/runtime/contract.ts'
import { encodeCopyText } from '../../../src/runtime/formats/pg-copy-text.ts'
import { readEvents } from '../reading.ts'

export interface Sending {
  ctx: ConnectorContext
  source: Source
  config: JsonObject
  stream: string
}

/** `snapshot`: a full refresh. `log`: what has happened since `begin` was called. */
export type Road = 'snapshot' | 'log'

const withLog = (config: JsonObject): JsonObject => ({
  ...config,
  replication_method: { method: 'CDC' },
})

/** A source whose changes are read in this process. */
function followed(source: Source): Source {
  if (!source.log) throw new Error(`${source.info.name} has no log`)
  // It freezes its own bounds.
  return { ...following(source, source.log), freeze: undefined }
}

async function discover({ ctx, source, stream }: Sending, config: JsonObject) {
  const { streams } = await source.discover(ctx, config)
  const found = streams.find(({ name }) => name === stream)
  if (!found) throw new Error(`${stream} is not discovered`)
  return found
}

/** A position of the log, as a state has it. */
export interface LogStart {
  state: StreamState
  shared: JsonObject | undefined
}

/** Has the log kept from now on; returns where it begins. */
export async function begin(sending: Sending): Promise<LogStart> {
  const config = withLog(sending.config)
  const reading = { source: followed(sending.source), config, ctx: sending.ctx }
  const { configured } = planned(sending, await discover(sending, config), 'log', ANYWHERE)
  let start: LogStart | undefined
  for await (const event of readEvents(reading, [configured])) {
    if (event.type === 'error') throw fromRecord(event.error)
    if (event.type === 'state') start = { state: event.state, shared: event.shared }
  }
  if (!start) throw new Error('there was no state')
  return start
}

type Target = Pick<Destination, 'capabilities'> & { namespace: string }
const ANYWHERE: Target = {
  namespace: 'nowhere',
  capabilities: {
    ...{ modes: ['append_dedup'], formats: [], ledger: false, transfer: 'staged', verify: [] },
    ...{ namespaces: true, limits: { nulInText: true, nonFinite: true, years: [1, 9999] } },
  },
}

function planned(
  { source }: Sending,
  stream: AirbyteStream,
  road: Road,
  { capabilities, namespace }: Target,
): PlannedStream {
  const isLog = road === 'log'
  return planStream(
    {
      ...{ connectionId: `${source.info.name} ${road}`, syncId: 1, namespace },
      ...{ prefix: `${source.info.name}_${road}_`, normalization: 'basic', transfer: 'auto' },
      schemaChanges: 'propagate_columns',
    },
    {
      config: {
        ...{ name: stream.name, syncMode: isLog ? 'incremental' : 'full_refresh' },
        destinationSyncMode: isLog ? 'append_dedup' : 'append',
      },
      ...{ generationId: 1, minimumGenerationId: 0, generationRows: 0, knownColumns: [] },
      state: null,
    },
    stream,
    { source: source.capabilities, destination: capabilities },
  )
}

/** Sends the stream to a destination by one road, as the engine does; returns its plan. */
export async function copy(
  sending: Sending,
  road: Road,
  start: LogStart | undefined,
  {
    destination,
    config,
    namespace,
  }: { destination: Destination; config: JsonObject; namespace: string },
) {
  const { ctx } = sending
  const isLog = road === 'log'
  const sourceConfig = isLog ? withLog(sending.config) : sending.config
  const source = isLog ? followed(sending.source) : sending.source
  const { capabilities } = destination
  const stream = await discover(sending, sourceConfig)
  const { configured, plan, ...rest } = planned(sending, stream, road, { capabilities, namespace })
  const key = streamKey(configured.stream)
  const pipeline = new ChunkPipeline({ configured, plan, ...rest }, capabilities, {
    ...{ chunk: 'all', wire: capabilities.formats.includes('pg-copy-text') },
    async saveRejects(rejects) {
      if (rejects.length > 0) throw new Error(JSON.stringify(rejects))
      return undefined
    },
  })
  async function* body(): AsyncGenerator<Batch> {
    const reading = { source, config: sourceConfig, ctx }
    const states = isLog && start ? new Map([[key, start.state]]) : new Map()
    for await (const event of readEvents(reading, [configured], states, start?.shared)) {
      if (event.type === 'error') throw fromRecord(event.error)
      if (event.type === 'batch') yield event.batch
    }
  }
  const loader = await destination.open(ctx, config, plan)
  try {
    await loader.prepare(1)
    const end = () => ({ state: {}, complete: true })
    const { rejects } = await loader.load({ id: 'all', body: pipeline.run(body()), end }, 1)
    if (rejects.length > 0) throw new Error(JSON.stringify(rejects))
    await loader.finish(1)
    const found = await hashBack(loader)
    return { plan, expectedHash: pipeline.proof().rowHash, foundHash: isLog ? undefined : found }
  } finally {
    await loader.close()
  }
}

/** As a receipt is verified; rows that are merged are not those that were loaded. */
async function hashBack(loader: Loader): Promise<string | undefined> {
  if (!loader.readBack) return undefined
  const hash = emptyRowHash()
  for await (const batch of loader.readBack())
    addRows(hash, batch.kind === 'encoded' ? batch.bytes : encodeCopyText(batch))
  return formatRowHash(hash)
}
