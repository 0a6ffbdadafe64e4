import { AirbyteError } from '../../../protocol/index.ts'
import type { Environment } from '../environment.ts'
import { DEFAULT_HANDLER, type ErrorHandler } from '../errors/handler.ts'
import { SUCCESS } from '../errors/resolution.ts'
import { isoparse } from '../python/isoparse.ts'
import { isMapping, mappingGet } from '../python/mappings.ts'
import { isInt, type Value } from '../python/values.ts'
import { Answer } from '../requester/answer.ts'
import type { Matcher } from '../requester/matchers.ts'
import { type Outgoing, sendWithRetries } from '../requester/send.ts'
import { WaitUntil } from '../wait.ts'
import { NO_AUTH } from './types.ts'

/** Calls that each token has, and where the API says how many of them are left. */
export interface Quota {
  name: string
  matchers: Matcher[]
  paths: { remaining: string[]; reset: string[]; limit: string[] }
  headers: { remaining?: string; reset?: string; limit?: string }
  exhausted: ReadonlySet<number>
}

/** How the API is asked for the quotas of a token. */
export interface StatusRequest {
  statusUrl: string
  statusMethod: string
  statusHeaders: [string, string][]
  /** Statuses by which it says that it keeps none. */
  unavailable: ReadonlySet<number>
}

export interface PoolRules extends StatusRequest {
  /** The scheme before the token in its header. */
  method: string
  header: string
  /** Milliseconds that are waited for calls. */
  longestWait: number
  /** Requests slow down when so much of the limit is left, and no less than so many calls. */
  reserveFraction: number
  leastReserve: number
}

/** What one token has left of a quota; untracked where the API does not say. */
interface Left {
  remaining: number
  /** Epoch milliseconds. */
  resetAt: number
  limit: number
  tracked: boolean
}

/** Milliseconds. */
const SHORTEST_WAIT = 5000
const LONGEST_THROTTLE = 10_000
const LEAST_THROTTLE = 100
/** An answer's reset may lie so much before the one that is known and still be of its window. */
const RESET_SKEW = 60_000

/** Tokens that may stand for each other, and what is left of each. */
export class TokenPool {
  readonly #tokens: string[]
  readonly #quotas: Quota[]
  readonly #rules: PoolRules
  #left: Map<string, Map<string, Left>> | undefined
  #active = 0
  /** When the quotas are asked for anew, after all tokens were spent; epoch milliseconds. */
  #resumesAt: number | undefined

  constructor(tokens: string[], quotas: Quota[], rules: PoolRules) {
    this.#tokens = tokens
    this.#quotas = quotas
    this.#rules = rules
  }

  /**
   * Puts a token with a call left on the request, and takes the call.
   *
   * @throws WaitUntil, or RATE_LIMITED when no token has one for longer than is waited
   */
  async sign(request: Outgoing, env: Environment): Promise<void> {
    this.#left ??= await this.#seed(env)
    const token = await this.#take(this.#quotaOf(request), env)
    request.headers.set(this.#rules.header, `${this.#rules.method} ${token}`.trim())
  }

  /** Takes over what an answer says of the token that it was asked with. */
  learn(request: Outgoing, answer: Answer): void {
    const quota = this.#quotaOf(request)
    const left = this.#leftOf(this.#tokenOf(request), quota)
    if (!left?.tracked) return
    const isSpent = quota.exhausted.has(answer.status)
    const remaining = intIn(answer, quota.headers.remaining) ?? (isSpent ? 0 : undefined)
    const resetAt = momentOf(headerOf(answer, quota.headers.reset))
    const limit = intIn(answer, quota.headers.limit)
    // An answer of an older window has the limit of that one.
    if (limit && (resetAt === undefined || resetAt >= left.resetAt)) left.limit = limit
    if (resetAt !== undefined && resetAt > left.resetAt) {
      left.resetAt = resetAt
      left.remaining = remaining ?? left.limit
      return
    }
    const isOfWindow = resetAt === undefined || resetAt >= left.resetAt - RESET_SKEW
    if (remaining === undefined || !(isOfWindow || (isSpent && remaining <= 0))) return
    // Answers overtake each other: a count only falls within its window.
    left.remaining = Math.min(left.remaining, remaining)
  }

  /** Whether the token of the request is spent, and another is not. */
  hasOther(request: Outgoing): boolean {
    const quota = this.#quotaOf(request)
    const token = this.#tokenOf(request)
    const own = this.#leftOf(token, quota)
    if (!own?.tracked || own.remaining > 0) return false
    return this.#tokens.some(
      (other) => other !== token && (this.#leftOf(other, quota)?.remaining ?? 0) > 0,
    )
  }

  async #take(quota: Quota, env: Environment): Promise<string> {
    const all = () => this.#tokens.map((token) => this.#leftOf(token, quota) as Left)
    for (let until = env.ctx.now() + this.#rules.longestWait; ; ) {
      const token = this.#tokens[this.#active] as string
      const left = this.#leftOf(token, quota) as Left
      if (!left.tracked) {
        // Nothing tells the tokens apart: they take turns.
        this.#rotate()
        return token
      }
      if (left.remaining > 0) {
        left.remaining--
        await pause(this.#throttle(left, all(), env.ctx.now()), env, 'The quota is nearly spent')
        return token
      }
      if (all().every(({ remaining, tracked }) => tracked && remaining <= 0)) {
        if (this.#resumesAt === undefined || env.ctx.now() < this.#resumesAt) {
          await this.#waitForReset(Math.min(...all().map((one) => one.resetAt)), until, env)
        }
        this.#resumesAt = undefined
        this.#left = await this.#seed(env)
      } else this.#rotate()
    }
  }

  async #waitForReset(resetAt: number, until: number, env: Environment): Promise<void> {
    const now = env.ctx.now()
    if (now >= until || resetAt >= until) {
      const message = `${env.stream}: all tokens are spent for longer than the manifest waits.`
      throw new AirbyteError('RATE_LIMITED', message, { stream: env.stream })
    }
    const ms = Math.min(Math.max(resetAt - now, SHORTEST_WAIT), until - now)
    this.#resumesAt = now + ms
    env.run.onRateLimit?.(env.stream, now + ms)
    await pause(ms, env, 'All tokens are spent')
  }

  /** Milliseconds by which the last calls are spread over the time until they come anew. */
  #throttle(active: Left, all: Left[], now: number): number {
    const { leastReserve, reserveFraction } = this.#rules
    const isLow = ({ remaining, limit, tracked }: Left) =>
      tracked && remaining <= Math.max(leastReserve, limit * reserveFraction)
    if (!all.every(isLow)) return 0
    const calls = all.reduce((sum, { remaining }) => sum + Math.max(0, remaining), 0)
    const ms = calls > 0 ? (active.resetAt - now) / calls : 0
    return ms >= LEAST_THROTTLE ? Math.min(ms, LONGEST_THROTTLE) : 0
  }

  #rotate(): void {
    this.#active = (this.#active + 1) % this.#tokens.length
  }

  #quotaOf(request: Outgoing): Quota {
    const found =
      this.#quotas.find(({ matchers }) => matchers.some((matcher) => matcher.matches(request))) ??
      this.#quotas.find(({ matchers }) => matchers.length === 0)
    return found ?? (this.#quotas[0] as Quota)
  }

  #tokenOf(request: Outgoing): string | undefined {
    const value = request.headers.get(this.#rules.header) ?? ''
    return this.#tokens.find((token) => `${this.#rules.method} ${token}`.trim() === value)
  }

  #leftOf(token: string | undefined, quota: Quota): Left | undefined {
    return token === undefined ? undefined : this.#left?.get(token)?.get(quota.name)
  }

  async #seed(env: Environment): Promise<Map<string, Map<string, Left>>> {
    const left = new Map<string, Map<string, Left>>()
    for (const token of this.#tokens) {
      const answer = await this.#ask(token, env)
      left.set(token, new Map(this.#quotas.map((quota) => [quota.name, this.#read(answer, quota)])))
    }
    return left
  }

  async #ask(token: string, env: Environment): Promise<Answer> {
    const { statusUrl: url, statusMethod: method, statusHeaders, header, unavailable } = this.#rules
    const headers = new Headers([
      ...statusHeaders,
      [header, `${this.#rules.method} ${token}`.trim()],
    ])
    const handler: ErrorHandler = {
      ...DEFAULT_HANDLER,
      interpret: (outcome) =>
        outcome instanceof Answer && unavailable.has(outcome.status)
          ? SUCCESS
          : DEFAULT_HANDLER.interpret(outcome),
    }
    const answer = await sendWithRetries(
      {
        prepare: async () => ({ method, url, headers, body: undefined }),
        ...{ handler, authenticator: NO_AUTH, unbudgeted: true },
      },
      env,
    )
    if (answer) return answer
    throw new AirbyteError('UPSTREAM_ERROR', `${env.stream}: ${url} says nothing of the quotas.`)
  }

  #read(answer: Answer, { name, paths }: Quota): Left {
    if (this.#rules.unavailable.has(answer.status)) {
      return { remaining: 0, resetAt: 0, limit: 0, tracked: false }
    }
    const at = (path: string[]): Value =>
      path.reduce<Value>(
        (node, key) => (isMapping(node) ? mappingGet(node, key) : undefined),
        answer.json,
      )
    const remaining = intOf(at(paths.remaining))
    const resetAt = momentOf(at(paths.reset))
    const limit = paths.limit.length > 0 ? intOf(at(paths.limit)) : remaining
    if (remaining === undefined || resetAt === undefined || limit === undefined) {
      const message = `The answer about quotas has not what the manifest reads of '${name}'.`
      throw new AirbyteError('REQUEST_REFUSED', message)
    }
    return { remaining, resetAt, limit, tracked: true }
  }
}

async function pause(ms: number, env: Environment, why: string): Promise<void> {
  if (ms <= 0) return
  if (ms > env.run.longestSleepMs) {
    throw new WaitUntil(`${env.stream}: ${why}.`, env.stream, env.ctx.now() + ms)
  }
  await env.run.sleep(ms)
}

const headerOf = ({ headers }: Answer, name: string | undefined) =>
  name === undefined ? undefined : headers.get(name)

const intIn = (answer: Answer, name: string | undefined) => intOf(headerOf(answer, name))

function intOf(value: Value): number | undefined {
  if (isInt(value)) return Number(value)
  return typeof value === 'string' && /^\s*-?\d+\s*$/.test(value) ? Number(value) : undefined
}

/** Epoch milliseconds of epoch seconds or of an ISO date. */
function momentOf(value: Value): number | undefined {
  const seconds = intOf(value)
  if (seconds !== undefined) return seconds * 1000
  if (typeof value !== 'string') return undefined
  try {
    return isoparse(value).timestamp() * 1000
  } catch {
    return undefined
  }
}
