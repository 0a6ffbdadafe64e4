import type { Warning } from '../../durable-object/rpc.ts'
import {
  AirbyteError,
  type ErrorRecord,
  type LogLevel,
  type SourceWarning,
  toAirbyteError,
} from '../../protocol/index.ts'
import type { Budget, ConnectorContext } from '../../runtime/contract.ts'
import { KeptConnections } from '../../runtime/kept-connections.ts'
import { faultPoint } from '../fault-points.ts'
import { endLeftover } from './end-leftover.ts'
import { runFinishSlice } from './finish-slice.ts'
import type { TaskHost } from './host.ts'
import { runLoadSlice } from './load-slice.ts'
import { Loaders } from './loaders.ts'
import { reserveMemory, SLICE_BYTES } from './memory-budget.ts'
import { runPlanSlice } from './plan-slice.ts'
import { runReadSlice } from './read-slice.ts'
import { runReplaySlice } from './replay-slice.ts'
import { type Claim, type Lane, laneOf, type SyncControl } from './types.ts'

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
  loaders: Loaders
  /** Throws once the claim is lost or the sync is cancelled. */
  check(): void
  /** What was logged so far is at the sync's object. */
  flushLog(): Promise<void>
  /** The task is done. */
  done(warnings?: Warning[]): Promise<void>
}

/**
 * Runs one slice of a task: claim, work until done or spent, hand over; and after a task that took
 * little, others of the same sync, which find open what the one before has opened. It does not know
 * its host. Whatever happens is reported to the sync's object; nothing is thrown but what makes
 * reporting itself impossible, in which case the lease runs out and another slice takes over.
 */
export async function runTask(host: TaskHost, taskId: string): Promise<void> {
  const first = await host.sync.claim(taskId)
  if (!first) return
  if (first.kind === 'read' && first.leftover) return endLeftover(host, first)
  const run = openRun(host, first)
  try {
    for (let claim: Claim | null = first; claim; ) claim = await runClaim(run, claim)
  } finally {
    await run.loaders.close()
    await run.kept.close()
  }
}

/** Tasks that follow each other in one invocation. */
interface Run {
  host: TaskHost
  abort: AbortController
  kept: KeptConnections
  loaders: Loaders
  budget: Budget
  /** Where the next task may come from; undefined: it is enough. */
  next(): Lane | undefined
}

function openRun(host: TaskHost, { kind, input }: Claim): Run {
  const began = host.now()
  const deadline = began + input.limits.sliceMs
  const goesOn = began + Math.min(GO_ON_MS, input.limits.sliceMs / 2)
  let tasks = 0
  return {
    host,
    abort: new AbortController(),
    kept: new KeptConnections(),
    loaders: new Loaders(),
    budget: { deadline, exhausted: () => host.now() >= deadline },
    next: () => (++tasks < TASKS && host.now() < goesOn ? laneOf(kind) : undefined),
  }
}

/** Another sync's wake-ups may wait behind this one. */
const GO_ON_MS = 10_000
/** Each makes some ten calls, of which an invocation has a thousand. */
const TASKS = 50

/** Runs a slice of a claimed task; returns what this run goes on with. */
async function runClaim(run: Run, claim: Claim): Promise<Claim | null> {
  const { host, abort, budget, kept, loaders } = run
  const { sync } = host
  const logger = createLogger(host, claim)
  let isOver = false
  const heartbeat = setInterval(() => {
    void beat(sync, claim, (error) => isOver || abort.abort(error))
  }, claim.leaseMs / HEARTBEATS)
  let release: (() => void) | undefined
  let next: Claim | null = null
  try {
    await faultPoint(`${claim.kind}.claimed`)
    release = reserveMemory(SHARE[claim.kind])
    await loaders.keepOnly(claim)
    const ctx = host.context({ claim, signal: abort.signal, budget, kept, log: logger.log })
    const done = async (warnings?: Warning[]) => {
      await logger.flush()
      next = await sync.done(claim.taskId, claim.fence, warnings, run.next())
    }
    const check = () => abort.signal.throwIfAborted()
    await runSlice({ host, sync, claim, ctx, loaders, check, flushLog: logger.flush, done })
  } catch (thrown) {
    await loaders.close().catch(() => {})
    const error = toAirbyteError(abort.signal.aborted ? abort.signal.reason : thrown)
    if (error.code === 'FENCE_LOST') logger.log('info', 'superseded by a newer claim')
    else if (error.code === 'MEMORY_BUDGET') {
      await sync.release(claim.taskId, claim.fence, MEMORY_RETRY_MS)
    } else {
      logger.log('error', `${error.code}: ${error.message}`)
      const record: ErrorRecord = JSON.parse(host.scrub(JSON.stringify(error)))
      await sync.fail(claim.taskId, claim.fence, record)
    }
  } finally {
    isOver = true
    clearInterval(heartbeat)
    release?.()
    await logger.flush().catch(() => {})
  }
  return next
}

async function runSlice(slice: Slice): Promise<void> {
  const { claim } = slice
  if (claim.kind === 'plan') return runPlanSlice({ ...slice, claim })
  const { replay } = claim.stream
  if (claim.kind === 'read' && replay) return runReplaySlice({ ...slice, claim }, replay.syncId)
  const run = { read: runReadSlice, load: runLoadSlice, finish: runFinishSlice }[claim.kind]
  return run({ ...slice, claim })
}

async function beat(
  sync: SyncControl,
  claim: Claim,
  stop: (error: AirbyteError) => void,
): Promise<void> {
  try {
    const { cancelled } = await sync.heartbeat(claim.taskId, claim.fence)
    if (cancelled) stop(new AirbyteError('CANCELLED', 'The sync was cancelled.'))
  } catch (error) {
    const known = toAirbyteError(error)
    if (known.code === 'FENCE_LOST') stop(known)
  }
}

/** Lines that wait to be sent; errors and warnings of receipts come besides. */
const LINES = 500

/** Collects lines and sends them together, so that a chatty connector costs few calls. */
function createLogger({ sync, now, scrub }: TaskHost, claim: Claim) {
  const stream = claim.kind === 'plan' ? undefined : claim.stream.key
  let lines: Parameters<SyncControl['log']>[0] = []
  let leftOut = 0
  return {
    log(level: LogLevel, message: string, warning?: SourceWarning, of = stream) {
      const isKept = lines.length < LINES || warning !== undefined || level === 'error'
      if (isKept) lines.push({ at: now(), level, stream: of, message: scrub(message), warning })
      else leftOut += 1
    },
    async flush() {
      const batch = lines
      const message = `${leftOut} more lines were left out here: a slice keeps ${LINES} at a time.`
      if (leftOut > 0) batch.push({ at: now(), level: 'warn', stream, message })
      lines = []
      leftOut = 0
      if (batch.length > 0) await sync.log(batch)
    },
  }
}
