import { AirbyteError, isObject, type JsonValue } from '../../../protocol/index.ts'
import type { Authenticator } from '../auth/types.ts'
import type { Environment } from '../environment.ts'
import { failureOf } from '../errors/failure.ts'
import type { ErrorHandler } from '../errors/handler.ts'
import type { Outcome, Resolution } from '../errors/resolution.ts'
import { asWait, isoTime, WaitUntil } from '../wait.ts'
import { Answer } from './answer.ts'
import type { CookieJar } from './cookies.ts'
import { WalkSignal } from './signals.ts'

export interface Outgoing {
  method: string
  url: string
  headers: Headers
  body: string | undefined
}

interface Sending {
  /** Called for each attempt, because credentials may have changed. */
  prepare(): Promise<Outgoing>
  handler: ErrorHandler
  authenticator: Authenticator
  /** What was tried in earlier invocations, which ended in a wait. */
  tried?: Tried
  /** The body is read piece by piece, however large it is. */
  streams?: boolean
  /** How long the server may be silent. */
  timeoutMs?: number
  /** What answers set. */
  cookies?: CookieJar
  /** Not one of the calls that the source's budget counts. */
  unbudgeted?: boolean
}

/** Attempts so far. */
interface Tried {
  /** The number that the next attempt bears. */
  attempt: number
  /** How often each kind of wait was taken; one that is asked for does not count for the others. */
  waits: [asked: number, limited: number, unasked: number]
}

/** What was tried before a `WaitUntil` with this progress. */
export function triedBefore(progress: JsonValue | undefined): Tried {
  if (!isObject(progress)) return { attempt: 1, waits: [0, 0, 0] }
  const attempt = Number(progress.attempt) || 1
  return { attempt, waits: (progress.waits as Tried['waits']) ?? [0, 0, attempt - 1] }
}

/**
 * Counts a wait. As in the CDK the kinds stand around each other: where one of the outer kinds
 * begins anew, so do the counts of those within it.
 */
function countWait(waits: Tried['waits'], kind: number): Tried['waits'] {
  const count = (at: number) => (at < kind ? 0 : (waits[at] ?? 0) + (at === kind ? 1 : 0))
  return [count(0), count(1), count(2)]
}

/**
 * Sends a request as often as its error handler says.
 *
 * @throws WalkSignal where the answer asks for another way through the pages
 * @throws WaitUntil for a wait longer than the run sleeps through, with the attempt that follows
 */
export async function sendWithRetries(
  sending: Sending,
  env: Environment,
): Promise<Answer | undefined> {
  const { prepare, handler, authenticator, unbudgeted } = sending
  let { attempt, waits } = sending.tried ?? triedBefore(undefined)
  let refreshed = false
  for (; ; attempt++) {
    env.ctx.signal.throwIfAborted()
    const request = await prepare().catch((error: unknown) => {
      throw asWait(error, env.stream, { attempt, waits })
    })
    if (!unbudgeted) await takeCall(request, { attempt, waits }, env)
    const outcome = await exchange(request, sending, env)
    if (outcome instanceof Answer) {
      sending.cookies?.learn(outcome.url, outcome.headers, env.ctx.now())
      if (!unbudgeted) await env.run.budget?.learn(request, outcome)
      authenticator.learn?.(request, outcome)
    }
    const resolution = handler.interpret(outcome)
    switch (resolution.action) {
      case 'SUCCESS':
        return outcome instanceof Answer ? outcome : undefined
      case 'IGNORE':
        env.ctx.log('info', `${env.stream}: ignored: ${resolution.message ?? describe(outcome)}`)
        return outcome instanceof Answer ? outcome : undefined
      case 'RESET_PAGINATION':
      case 'REDUCE_PAGE_SIZE':
      case 'SPLIT_REQUEST_WINDOW':
        throw new WalkSignal(resolution.action, env.stream, resolution.message)
      case 'FAIL':
        throw failureOf(outcome, resolution, env.stream)
      case 'REFRESH_TOKEN_THEN_RETRY':
        if (refreshed) {
          throw failureOf(outcome, { ...resolution, failureType: 'config_error' }, env.stream)
        }
        refreshed = true
        await authenticator.refresh?.()
        break
      default:
    }
    const isOthers = resolution.action === 'RATE_LIMITED' && authenticator.hasOther?.(request)
    const asked = isOthers ? ROTATION_SECONDS : firstAnswer(handler, outcome, attempt)
    const kind = asked ? 0 : resolution.action === 'RATE_LIMITED' ? 1 : 2
    waits = countWait(waits, kind)
    const tries = waits[kind]
    const tried = { attempt: attempt + 1, waits }
    await waitToRetry({ handler, outcome, resolution, tries, tried, asked }, env)
  }
}

/** How often a check or a discovery asks again where nothing answers. */
const PROBE_RETRIES = 2

/** What is waited before a request goes out with other credentials than those that are spent. */
const ROTATION_SECONDS = 0.1

/** Others of the source may give calls back before the first of those made leaves its window. */
const ASK_AGAIN_MS = 2000

/** Waits until the API's budget allows the call. */
async function takeCall(request: Outgoing, tried: Tried, env: Environment): Promise<void> {
  for (;;) {
    const ms = (await env.run.budget?.take(request)) ?? 0
    if (ms <= 0) return
    const until = Math.ceil(env.run.now() + ms)
    if (ms > env.run.longestSleepMs) {
      env.run.onRateLimit?.(env.stream, until)
      const message = `${env.stream}: the API's budget is spent until ${isoTime(until)}.`
      throw new WaitUntil(message, env.stream, until, { ...tried })
    }
    await env.run.sleep(env.ctx.owner ? Math.min(ms, ASK_AGAIN_MS) : ms)
  }
}

async function exchange(
  request: Outgoing,
  { streams, timeoutMs }: Sending,
  env: Environment,
): Promise<Outcome> {
  const { url, ...init } = request
  const maxBytes = streams ? Number.POSITIVE_INFINITY : undefined
  try {
    const response = await env.ctx.http.fetch(url, { ...init, attempts: 1, maxBytes, timeoutMs })
    return await Answer.of(url, response, streams)
  } catch (error) {
    env.ctx.signal.throwIfAborted()
    return error instanceof Error ? error : new Error(String(error))
  }
}

interface Retry {
  handler: ErrorHandler
  outcome: Outcome
  resolution: Resolution
  /** How often it was waited so, this time included. */
  tries: number
  tried: Tried
  /** Seconds; undefined: nobody says. */
  asked: number | undefined
}

async function waitToRetry(
  { handler, outcome, resolution, tries, tried, asked }: Retry,
  env: Environment,
): Promise<void> {
  // One second more than asked covers fractions that the API rounded away.
  const seconds = asked ? asked + 1 : 2 ** (tries - 1)
  const until = Math.ceil(env.ctx.now() + seconds * 1000)
  // Somebody waits for a probe, and a host that is not there seldom comes within half a minute.
  const isSilent = env.run.probes && !(outcome instanceof Answer)
  if (tries > Math.min(handler.maxRetries, isSilent ? PROBE_RETRIES : Number.POSITIVE_INFINITY)) {
    const failure = failureOf(outcome, resolution, env.stream)
    if (failure.code !== 'RATE_LIMITED') throw failure
    throw new AirbyteError('RATE_LIMITED', failure.message, { stream: env.stream, retryAt: until })
  }
  const tooLong = seconds * 1000 > env.run.longestSleepMs
  if (tooLong || resolution.action === 'RATE_LIMITED') env.run.onRateLimit?.(env.stream, until)
  if (tooLong) {
    const failure = failureToRetry(outcome, resolution, { stream: env.stream, retryAt: until })
    const message = failure
      ? `${failure.message} ${failure.hint} The next attempt is at ${isoTime(until)}.`
      : `${env.stream}: ${describe(outcome)}, rate limited until ${isoTime(until)}.`
    throw new WaitUntil(message, env.stream, until, { ...tried }, failure)
  }
  env.ctx.log(
    'info',
    `${env.stream}: ${describe(outcome)}, next attempt in ${seconds.toFixed(1)} s`,
  )
  await env.run.sleep(seconds * 1000)
}

/** What a wait is for where the API did not ask for it. */
function failureToRetry(
  outcome: Outcome,
  resolution: Resolution,
  when: { stream: string; retryAt: number },
): AirbyteError | undefined {
  if (resolution.action === 'RATE_LIMITED') return undefined
  const { code, kind, message, cause } = failureOf(outcome, resolution, when.stream)
  const passing = kind === 'transient' ? code : 'UPSTREAM_ERROR'
  return new AirbyteError(passing, message, { ...when, cause })
}

function firstAnswer(handler: ErrorHandler, outcome: Outcome, attempt: number) {
  for (const backoff of handler.backoffs) {
    const seconds = backoff(outcome, attempt)
    // What lies in the past is no answer: asked again at once, a busy API is only busier.
    if (seconds && seconds > 0) return seconds
  }
  return undefined
}

const describe = (outcome: Outcome) =>
  outcome instanceof Answer ? `status ${outcome.status}` : outcome.message.replace(/\.$/, '')
