/** Why a sync is as it is: causes with their evidence, and the call that mends each. */
import { ERROR_CODES } from '../../protocol/error-codes.ts'
import type { ErrorRecord } from '../../protocol/index.ts'
import type { OperationContext } from '../define.ts'
import { iso } from '../views.ts'
import { CAUSES, type Call, type Cause, type Found, preview, UNKNOWN } from './causes.ts'
import { type End, type Facts, type Failure, gatherFacts } from './facts.ts'

export { requireSubject } from './facts.ts'

/** Texts that others wrote: marked by their name, and short. */
export interface Evidence {
  from: string
  at?: string
  untrusted_text: string
}

export interface Finding {
  cause: string
  streams: string[]
  what: string
  next: string
  call?: Call
  retryAt?: string
  evidence: Evidence[]
}

const MOST_TEXT = 300
const MOST_STREAMS = 20

export async function diagnoseSync(
  ctx: OperationContext,
  connectionId: string,
  syncId: number | undefined,
) {
  return diagnose(await gatherFacts(ctx, connectionId, syncId))
}

/** The findings, most telling first; none means that all is well. */
export function diagnose(facts: Facts) {
  const { connection, sync } = facts
  const findings: Finding[] = [
    ...facts.failures.map((failure) => failureFinding(failure, facts)),
    ...facts.waiting.map((wait) => waitingFinding(wait, facts)),
    ...emptyFindings(facts),
    ...facts.warnings
      .filter(({ code }) => !EMPTY.has(code))
      .map(({ code, stream, message }) => ({
        cause: `warning_${code.toLowerCase()}`,
        streams: stream === undefined ? [] : [stream],
        what: 'The sync ended with a warning.',
        next: 'Tell the person; the receipt has the figures.',
        evidence: [{ from: 'receipt', untrusted_text: short(message) }],
      })),
  ]
  return {
    connection: connection.id,
    name: connection.name,
    sync: sync?.syncId,
    status: sync?.status ?? 'never_synced',
    healthy: findings.length === 0,
    summary: summaryOf(facts, findings),
    findings,
  }
}

function failureFinding(failure: Failure, facts: Facts): Finding {
  const { error, streams } = failure
  const fits = ({ codes, applies }: Cause) =>
    codes.includes(error.code) && (applies?.(failure, facts) ?? true)
  const cause = CAUSES.find(fits) ?? UNKNOWN
  const end = endOf(cause, error, facts)
  const found: Found = { failure, facts, end }
  const hasPassed =
    cause.end === undefined && [facts.source, facts.destination].every(({ check }) => check?.ok)
  return {
    cause: cause.id,
    streams: streams.slice(0, MOST_STREAMS),
    what: capitalised(cause.title(end)),
    next: hasPassed ? PASSED : (cause.next ?? ourAdvice(error, end)),
    call: hasPassed ? again(facts) : cause.call(found),
    ...(error.retryAt !== undefined && { retryAt: iso(error.retryAt) }),
    evidence: evidenceOf(error, end, facts),
  }
}

/** The end that the table names, or the one that now fails in the same way, or the one that fails. */
function endOf({ end }: Cause, { code }: ErrorRecord, facts: Facts): End | undefined {
  if (end) return facts[end]
  const ends = [facts.source, facts.destination]
  const failing = ends.filter(({ check }) => check && !check.ok)
  return failing.find(({ check }) => check?.problem?.code === code) ?? failing[0]
}

const PASSED = 'Both ends answer now: it has passed, sync again.'

const again = ({ connection }: Facts): Call => ({
  ...{ operation: 'connections.sync', tool: 'run_sync' },
  arguments: { connection: connection.name },
})

/** The check's advice is newer than the sync's. */
const ourAdvice = (error: ErrorRecord, end: End | undefined) =>
  end?.check?.problem?.hint ?? error.hint

function evidenceOf(error: ErrorRecord, end: End | undefined, { log }: Facts): Evidence[] {
  const lines = log.map(({ at, message }) => ({
    ...{ from: 'log', at: iso(at), untrusted_text: short(message) },
  }))
  const problem = end?.check?.problem
  return [
    { from: 'sync', untrusted_text: short(`${error.code}: ${error.message} ${error.hint}`) },
    ...(end && problem
      ? [
          {
            from: `check of ${end.kind} '${end.name}' now`,
            untrusted_text: short(`${problem.code}: ${problem.message} ${problem.hint}`),
          },
        ]
      : []),
    ...lines.slice(-5),
  ]
}

function waitingFinding(
  { streams, until, reason, code }: Facts['waiting'][number],
  facts: Facts,
): Finding {
  const { sync, source, log } = facts
  const isFailure = code !== undefined && code !== 'RATE_LIMITED'
  const isLimit = !isFailure && /rate limit|429/i.test(reason)
  const first = isFailure ? ERROR_CODES[code].next : 'Nothing:'
  const known = isFailure && CAUSES.find(({ codes, applies }) => !applies && codes.includes(code))
  const [cause, what] = known
    ? [known.id, capitalised(known.title(known.end && facts[known.end]))]
    : isLimit
      ? ['rate_limit', `The API behind source '${source.name}' asks to slow down.`]
      : ['waiting', `Source '${source.name}' is not ready yet.`]
  return {
    ...{ cause, what },
    streams: streams.slice(0, MOST_STREAMS),
    next: `${first} ${isFailure ? 'T' : 't'}he sync goes on by itself at ${iso(until)}.`,
    call: {
      ...{ operation: 'syncs.get', tool: 'get_sync' },
      arguments: { sync: sync?.syncId, waitSeconds: 40 },
    },
    retryAt: iso(until),
    evidence: [
      { from: 'sync', untrusted_text: short(reason) },
      ...log
        .slice(-3)
        .map(({ at, message }) => ({ from: 'log', at: iso(at), untrusted_text: short(message) })),
    ],
  }
}

const EMPTY: ReadonlySet<string> = new Set(['EMPTY_FULL_REFRESH', 'QUIET_STREAM', 'FEWER_ROWS'])

/** Streams from which nothing, or much less than before, came without any error. */
function emptyFindings(facts: Facts): Finding[] {
  const warned = facts.warnings.filter(({ code }) => EMPTY.has(code))
  const named = new Map(warned.map(({ stream = '', message }) => [stream, message]))
  for (const { stream, syncMode } of facts.empty) {
    // Nothing new is what an incremental sync finds most of the time.
    if (syncMode === 'full_refresh' && !named.has(stream)) {
      named.set(stream, `${stream} had no rows to read.`)
    }
  }
  return [...named].map(([stream, message]) => ({
    cause: 'zero_rows',
    streams: stream ? [stream] : [],
    what: 'The sync went well and brought nothing, or much less than before.',
    next: 'Look at the source: a filter, a right on rows, or an empty table would explain it.',
    call: preview(facts, stream),
    evidence: [{ from: 'receipt', untrusted_text: short(message) }],
  }))
}

function summaryOf({ connection, sync }: Facts, [first, ...more]: Finding[]): string {
  if (!sync && !first) return `The connection '${connection.name}' has never synced.`
  if (!first) return `Sync ${sync?.syncId} is ${sync?.status}, and nothing is wrong with it.`
  const others = more.length > 0 ? ` ${more.length} more below.` : ''
  return `${first.what}${others}`
}

const short = (text: string) => (text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text)
const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
