import { createHash } from 'node:crypto'
import { type Destination, type Loader, REPLAY_PREFIX } from '../../runtime/contract.ts'
import { keysUnder } from '../../runtime/keys-under.ts'
import { faultPoint } from '../fault-points.ts'
import { ChunkPipeline } from './chunk-pipeline.ts'
import { loadChunk } from './load-chunk.ts'
import { rejectsKey, rejectsPrefix, saveRejects } from './objects.ts'
import { linesOf, type Reject } from './reject-lines.ts'
import { replayedRows } from './replayed-rows.ts'
import type { Slice } from './run-task.ts'
import type { PlannedStream, StreamClaim } from './types.ts'

/** Ends the name of an object whose rows the destination refused: they are as it was given them. */
const OF_LOAD = '-load.jsonl'
const NOWHERE = { state: {}, complete: false }

/**
 * Loads a stream's rejected rows of an older sync again, an object a chunk. An object goes once its
 * rows are in the destination, or among the rejects of this sync: the ledger knows the chunk by the
 * object's name, so that one which is still there after its rows were loaded adds none.
 */
export async function runReplaySlice(slice: Slice<StreamClaim>, syncId: number): Promise<void> {
  const { sync, claim, host, ctx } = slice
  const open = await slice.loaders.open(slice)
  const { loader } = open
  const { capabilities } = open.destination
  await loader.prepare(claim.fence)
  open.isPrepared = true
  await faultPoint('read.prepared')
  for await (const key of keysUnder(
    host.staging,
    rejectsPrefix(claim.input.connectionId, syncId),
  )) {
    slice.check()
    const object = await rejectsIn(slice, key)
    if (!object) continue
    await replay(slice, { loader, capabilities }, key, object)
    await faultPoint('replay.loaded')
    await host.staging.delete([key])
    if (ctx.budget.exhausted()) return sync.release(claim.taskId, claim.fence)
  }
  await sync.advanced(claim.taskId, claim.fence, { state: {}, complete: true })
  await faultPoint('read.advanced')
  await slice.done()
}

interface Rejects {
  rows: Reject[]
  uploaded: number
}

/** The rows of an object, if they are of this claim's stream: no object has rows of two. */
async function rejectsIn(
  { host, claim }: Slice<StreamClaim>,
  key: string,
): Promise<Rejects | null> {
  const object = await host.staging.get(key)
  if (!object) return null
  const rows: Reject[] = []
  for await (const line of linesOf(object.body)) {
    const reject = JSON.parse(line) as Reject
    if (reject.stream !== claim.stream.key) return null
    rows.push(reject)
  }
  return { rows, uploaded: object.uploaded }
}

interface Target {
  loader: Loader
  capabilities: Destination['capabilities']
}

async function replay(
  slice: Slice<StreamClaim>,
  { loader, capabilities }: Target,
  key: string,
  { rows, uploaded }: Rejects,
): Promise<void> {
  const { claim } = slice
  const id = `${REPLAY_PREFIX}${createHash('sha256').update(key).digest('hex').slice(0, 32)}`
  const isMapped = key.endsWith(OF_LOAD)
  // Each of them again under a name that tells which of the two they are.
  const nameOf = (what: string) => rejectsKey(claim, `${id}-${what}${isMapped ? '-load' : ''}`)
  const { batches, keptBack } = replayedRows(claim.stream, rows, {
    isMapped,
    extractedAt: uploaded,
  })
  await saveRejects(slice, nameOf('kept'), keptBack)
  const stream = isMapped ? asMapped(claim.stream) : claim.stream
  const pipeline = new ChunkPipeline(stream, capabilities, {
    chunk: id,
    wire: claim.stream.plan.format !== 'records',
    saveRejects: (rejects) => saveRejects(slice, nameOf('read'), rejects),
  })
  await loadChunk(slice, loader, pipeline, {
    id,
    batches: pipeline.run(toAsync(batches)),
    end: () => NOWHERE,
    isolateBadRows: true,
    keptBack: keptBack.length,
  })
}

/** The stream of rows to which the connection's mapping and flattening are done already. */
function asMapped({ mapping: _mapping, flattened: _flattened, ...stream }: PlannedStream) {
  return stream
}

async function* toAsync<Item>(items: Item[]): AsyncGenerator<Item> {
  yield* items
}
