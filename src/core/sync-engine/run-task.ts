import {
  AirbyteError,
  type ErrorRecord,
  type LogLevel,
  toAirbyteError,
} from '../../protocol/index.ts'
import type { Budget, ConnectorContext } from '../../runtime/contract.ts'
import { faultPoint } from '../fault-points.ts'
import { endLeftover } from './end-leftover.ts'
import { runFinishSlice } from './finish-slice.ts'
import type { TaskHost } from './host.ts'
import { runLoadSlice } from './load-slice.ts'
import { reserveMemory, SLICE_BYTES } from './memory-budget.ts'
import { runPlanSlice } from './plan-slice.ts'
import { runReadSlice } from './read-slice.ts'
import { runReplaySlice } from './replay-slice.ts'
import type { Claim, SyncControl } from './types.ts'

/** Heartbeats in the time of one lease. */
const HEARTBEATS = 4
const MEMORY_RETRY_MS = 2_000
/** What a slice takes of the isolate's memory: only rows on the move take much. */
const SHARE = { plan: 4 << 20, read: SLICE_BYTES, load: SLICE_BYTES, finish: 1 << 20 }

/** A claimed task with what its slice needs. */
export interface Slice<C extends Claim = Claim> {
  host: TaskHost
  sync: SyncControl
  claim: C
  ctx: ConnectorContext
  /** Throws once the claim is lost or the sync is cancelled. */
  check(): void
}

/**
 * Runs one slice of a task: claim, work until done or spent, hand over. It does not know its host.
 * Whatever happens is reported to the sync's object; nothing is thrown but what makes reporting
 * itself impossible, in which case the lease runs out and another slice takes over.
 */
export async function runTask(host: TaskHost, taskId: string): Promise<void> {
  const { sync } = host
  const claim = await sync.claim(taskId)
  if (!claim) return
  if (claim.kind === 'read' && claim.leftover) return endLeftover(host, claim)
  const logger = createLogger(host, claim)
  const abort = new AbortController()
  const heartbeat = setInterval(() => beat(sync, claim, abort), claim.leaseMs / HEARTBEATS)
  let release: (() => void) | undefined
  try {
    await faultPoint(`${claim.kind}.claimed`)
    release = reserveMemory(SHARE[claim.kind])
    const budget = sliceBudget(host, claim)
    const ctx = host.context({ claim, signal: abort.signal, budget, log: logger.log })
    await runSlice({ host, sync, claim, ctx, check: () => abort.signal.throwIfAborted() })
  } catch (thrown) {
    const error = toAirbyteError(abort.signal.aborted ? abort.signal.reason : thrown)
    if (error.code === 'FENCE_LOST') logger.log('info', 'superseded by a newer claim')
    else if (error.code === 'MEMORY_BUDGET') {
      await sync.release(taskId, claim.fence, MEMORY_RETRY_MS)
    } else {
      logger.log('error', `${error.code}: ${error.message}`)
      const record: ErrorRecord = JSON.parse(host.scrub(JSON.stringify(error)))
      await sync.fail(taskId, claim.fence, record)
    }
  } finally {
    clearInterval(heartbeat)
    release?.()
    await logger.flush()
  }
}

async function runSlice(slice: Slice): Promise<void> {
  const { claim } = slice
  if (claim.kind === 'plan') return runPlanSlice({ ...slice, claim })
  const { replay } = claim.stream
  if (claim.kind === 'read' && replay) return runReplaySlice({ ...slice, claim }, replay.syncId)
  const run = { read: runReadSlice, load: runLoadSlice, finish: runFinishSlice }[claim.kind]
  return run({ ...slice, claim })
}

async function beat(sync: SyncControl, claim: Claim, abort: AbortController): Promise<void> {
  try {
    const { cancelled } = await sync.heartbeat(claim.taskId, claim.fence)
    if (cancelled) abort.abort(new AirbyteError('CANCELLED', 'The sync was cancelled.'))
  } catch (error) {
    const known = toAirbyteError(error)
    if (known.code === 'FENCE_LOST') abort.abort(known)
  }
}

function sliceBudget(host: TaskHost, claim: Claim): Budget {
  const deadline = host.now() + claim.input.limits.sliceMs
  return { deadline, exhausted: () => host.now() >= deadline }
}

/** Collects lines and sends them together, so that a chatty connector costs few calls. */
function createLogger({ sync, now, scrub }: TaskHost, claim: Claim) {
  const stream = claim.kind === 'plan' ? undefined : claim.stream.key
  let lines: Parameters<SyncControl['log']>[0] = []
  return {
    log(level: LogLevel, message: string) {
      if (lines.length < 500) lines.push({ at: now(), level, stream, message: scrub(message) })
    },
    async flush() {
      const batch = lines
      lines = []
      if (batch.length > 0) await sync.log(batch).catch(() => {})
    },
  }
}
