import {
  AirbyteError,
  isObject,
  type JsonObject,
  type JsonValue,
  toAirbyteError,
} from '../../../protocol/index.ts'
import type { Environment, Slice } from '../environment.ts'
import { errorTextOf } from '../errors/message.ts'
import type { Answer } from '../requester/answer.ts'
import type { Ahead } from '../stream/slices-ahead.ts'
import { WaitUntil } from '../wait.ts'
import type { JobApi } from './api.ts'
import { type Job, jobKey, loadJob, saveJob } from './job.ts'
import { pause } from './patience.ts'
import { JobSeats } from './seats.ts'

const ATTEMPTS = 3
const GIVEN_UP = { status: 'failed', attempt: ATTEMPTS } as const

export interface JobRules {
  /** Milliseconds that a job may run. */
  timeoutMs: number
  /** Milliseconds before a job that failed is created anew. */
  retryWaitMs: number | undefined
  /** How many jobs run at once. */
  limit: number
}

/**
 * The jobs of a stream: that of the slice at hand, and as many of the slices after it as the API
 * takes at once. They are saved with the position, so that another invocation goes on polling them.
 */
export class Jobs {
  readonly #api: JobApi
  readonly #rules: JobRules
  readonly #env: Environment
  readonly #seats: JobSeats
  readonly #jobs = new Map<string, Job>()
  #isRestored = false
  /** Since when no job could be created because others run. */
  #seatlessSince: number | undefined
  /** What a request kept that had to wait, and the job that it was `of`. */
  #waited: JsonObject | undefined

  constructor(api: JobApi, rules: JobRules, env: Environment) {
    this.#api = api
    this.#rules = rules
    this.#env = env
    this.#seats = new JobSeats(env, rules.limit)
  }

  get areNone(): boolean {
    return this.#jobs.size === 0
  }

  save(): JsonObject {
    const jobs = [...this.#jobs.values()].map(saveJob)
    return { jobs, sync: this.#sync, savedAt: this.#env.ctx.now() }
  }

  /** Takes over what another invocation saved: what comes later is known already. */
  restore(saved: JsonValue): void {
    const isKnown = this.#isRestored
    this.#isRestored = true
    if (!isObject(saved)) return
    this.#waited = typeof saved.of === 'string' ? saved : undefined
    if (isKnown || !Array.isArray(saved.jobs)) return
    // Another sync has attempts of its own: else what failed for good would fail at once for ever.
    const isOld = this.#env.ctx.now() - Number(saved.savedAt) > this.#rules.timeoutMs
    const isNew = saved.sync !== this.#sync || isOld
    for (const job of saved.jobs.map(loadJob)) {
      if (job) this.#jobs.set(jobKey(job.slice), isNew ? { ...job, attempt: 0 } : job)
    }
  }

  get #sync(): number | null {
    const [first] = this.#env.run.configured.values()
    return first?.syncId ?? null
  }

  /**
   * Goes on until the slice's job has ended.
   *
   * @returns `begun` when jobs were created, so that they can be saved before anything else
   * @throws WaitUntil when that takes longer than is slept through
   * @throws JOB_FAILED after three attempts
   */
  async settle(slice: Slice, ahead: Ahead): Promise<'begun' | 'completed' | 'skipped'> {
    for (;;) {
      if (await this.#begin(slice, ahead)) return 'begun'
      const job = this.#jobs.get(jobKey(slice))
      for (const one of this.#jobs.values()) {
        await (one === job ? this.#poll(one) : this.#pollAhead(one))
      }
      if (!job) {
        await this.#waitForSeat()
        continue
      }
      this.#seatlessSince = undefined
      if (job.status === 'completed' || job.status === 'skipped') return job.status
      if (job.status !== 'running' && job.attempt >= ATTEMPTS) throw this.#givenUp(job)
      await this.#wait(job)
    }
  }

  /** The slice's job with the answer that completed it; asked for again in another invocation. */
  async completed(slice: Slice): Promise<{ job: Job; polled: Answer } | undefined> {
    const job = this.#jobs.get(jobKey(slice))
    if (!job) return undefined
    if (!job.polled) await this.#poll(job)
    return job.polled && { job, polled: job.polled }
  }

  /** The slice is read: its job is not needed any more. */
  async finish(slice: Slice): Promise<void> {
    const job = this.#jobs.get(jobKey(slice))
    this.#jobs.delete(jobKey(slice))
    if (job?.status === 'completed') await this.#tidy('delete', job)
  }

  /** What a job of an earlier invocation left cannot be read: another one takes its place. */
  replace(slice: Slice, why: string): boolean {
    const job = this.#jobs.get(jobKey(slice))
    if (!job?.isResumed || job.attempt >= ATTEMPTS) return false
    this.#env.ctx.log('warn', `${this.#env.stream}: a job begun earlier is created anew: ${why}`)
    job.status = 'failed'
    job.polled = undefined
    job.retryAt = 0
    return true
  }

  /**
   * The slice cannot be read; others may be.
   *
   * @param aborts nobody will go on with its job
   */
  async drop(slice: Slice, aborts: boolean): Promise<void> {
    const job = this.#jobs.get(jobKey(slice))
    this.#jobs.delete(jobKey(slice))
    await this.#seats.leave(slice)
    if (aborts && job?.status === 'running') await this.#tidy('abort', job)
  }

  /** Ends at the API what nobody will ask for. */
  async abortAll(): Promise<void> {
    for (const { slice } of [...this.#jobs.values()]) await this.drop(slice, true)
  }

  /** Creates the jobs that are missing or to be created anew, as many as may run. */
  async #begin(slice: Slice, ahead: Ahead): Promise<boolean> {
    let begun = false
    for (const [key, job] of this.#jobs) {
      if (!this.#isDue(job)) continue
      this.#jobs.set(key, await this.#create(job.slice, job.attempt + 1))
      begun = true
    }
    for (const next of [slice, ...(await ahead(this.#rules.limit - 1))]) {
      if (this.#jobs.has(jobKey(next))) continue
      if (this.#jobs.size >= this.#rules.limit || !(await this.#seats.take(next))) break
      this.#jobs.set(jobKey(next), await this.#create(next, 1))
      begun = true
    }
    return begun
  }

  #isDue({ status, attempt, retryAt = 0 }: Job): boolean {
    if (status !== 'failed' && status !== 'timeout') return false
    return attempt < ATTEMPTS && this.#env.ctx.now() >= retryAt
  }

  async #create(slice: Slice, attempt: number): Promise<Job> {
    const { stream, ctx } = this.#env
    const startedAt = ctx.now()
    const job = { slice, attempt, startedAt, isResumed: false, wasAsked: false }
    try {
      const creation = await this.#ask(slice, (progress) => this.#api.create(slice, progress))
      ctx.log('info', `${stream}: a job was created for ${jobKey(slice)}, attempt ${attempt}.`)
      return { ...job, status: 'running', creation }
    } catch (error) {
      ctx.signal.throwIfAborted()
      if (error instanceof WaitUntil) throw error
      if (toAirbyteError(error).kind === 'config') {
        await this.#seats.leave(slice)
        throw error
      }
      ctx.log('warn', `${stream}: a job cannot be created: ${toAirbyteError(error).message}`)
      return { ...job, status: 'failed', error }
    }
  }

  async #poll(job: Job): Promise<void> {
    if (job.status !== 'running') return
    await this.#seats.take(job.slice)
    const { ctx, stream } = this.#env
    const isOver = () => ctx.now() - job.startedAt > this.#rules.timeoutMs
    // One that an earlier invocation began is asked for once, however long ago that was.
    const isLeft = job.isResumed && !job.wasAsked
    if (isOver() && !isLeft) return this.#timeOut(job)
    try {
      const { slice } = job
      const { status, answer } = await this.#ask(slice, (kept) => this.#api.poll(job, kept))
      job.wasAsked = true
      job.status = status
      job.polled = status === 'completed' ? answer : undefined
      if (status === 'completed' || status === 'skipped') await this.#seats.leave(job.slice)
      if (status === 'failed') this.#failed(job, answer)
      if (status === 'timeout' || (status === 'running' && isOver())) await this.#timeOut(job)
    } catch (error) {
      ctx.signal.throwIfAborted()
      const known = toAirbyteError(error)
      if (!isLeft || known.kind !== 'system') throw error
      ctx.log('warn', `${stream}: a job begun earlier is lost: ${known.message}`)
      job.status = 'failed'
    }
  }

  /** What is wrong with a job whose turn has not come is said at its turn. */
  async #pollAhead(job: Job): Promise<void> {
    try {
      await this.#poll(job)
    } catch (error) {
      const known = toAirbyteError(error)
      if (error instanceof WaitUntil || known.kind === 'config') throw error
      this.#env.ctx.signal.throwIfAborted()
      if (known.kind === 'system') Object.assign(job, { ...GIVEN_UP, error: known })
    }
  }

  /** Goes on with the attempts of a request that had to wait. */
  async #ask<T>(slice: Slice, request: (progress: JsonValue) => Promise<T>): Promise<T> {
    const key = jobKey(slice)
    const waited = this.#waited?.of === key ? this.#waited : undefined
    if (waited) this.#waited = undefined
    try {
      return await request(waited ?? null)
    } catch (error) {
      throw error instanceof WaitUntil ? error.keeping({ ...this.save(), of: key }) : error
    }
  }

  #failed(job: Job, answer: Answer): void {
    const { retryWaitMs } = this.#rules
    if (retryWaitMs !== undefined) job.retryAt = this.#env.ctx.now() + retryWaitMs
    const said = answer.json === undefined ? undefined : errorTextOf(answer)
    job.error = said ? new Error(said) : undefined
  }

  async #timeOut(job: Job): Promise<void> {
    job.status = 'timeout'
    await this.#tidy('abort', job)
  }

  async #tidy(request: 'abort' | 'delete', job: Job): Promise<void> {
    if (!job.creation) return
    try {
      await this.#api[request]?.(job)
    } catch (error) {
      const { message } = toAirbyteError(error)
      this.#env.ctx.log('warn', `${this.#env.stream}: cannot ${request} a job: ${message}`)
    }
  }

  /** For the slice's job to end. */
  async #wait({ startedAt, retryAt = 0 }: Job): Promise<void> {
    const isRunning = [...this.#jobs.values()].some(({ status }) => status === 'running')
    await pause(this.#env, {
      why: 'a job of the API is not done yet',
      since: startedAt,
      least: isRunning ? 0 : retryAt - this.#env.ctx.now(),
      progress: this.save(),
    })
  }

  /** As many jobs run as may, for other streams of the source. */
  async #waitForSeat(): Promise<void> {
    this.#seatlessSince ??= this.#env.ctx.now()
    await pause(this.#env, {
      why: 'the API has as many jobs as it takes',
      since: this.#seatlessSince,
      progress: this.save(),
    })
  }

  #givenUp({ status, attempt, error, slice }: Job): AirbyteError {
    const { stream } = this.#env
    if (error instanceof AirbyteError) return error
    const how = status === 'timeout' ? 'ran out of time' : 'failed'
    const said = error instanceof Error ? ` The API says: ${error.message.slice(0, 300)}` : ''
    return new AirbyteError(
      'JOB_FAILED',
      `${stream}: the API's job for ${jobKey(slice)} ${how} ${attempt} times.${said}`,
      { stream },
    )
  }
}
