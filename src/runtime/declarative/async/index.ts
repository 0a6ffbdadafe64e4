import {
  isObject,
  type JsonObject,
  type JsonValue,
  toAirbyteError,
} from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import type { Slice } from '../environment.ts'
import type { Value } from '../python/values.ts'
import { buildSelector } from '../records/selector.ts'
import type { FetchedPage, Retriever, RetrieverContext } from '../stream/retriever.ts'
import { WaitUntil } from '../wait.ts'
import { buildJobApi } from './api.ts'
import { buildDownloads } from './downloads.ts'
import type { Job } from './job.ts'
import { Jobs } from './jobs.ts'
import { jobRules } from './rules.ts'

/** The token while the slice's job has not ended. */
const JOB = 'job'

/** The token of a download: which of the job's targets, and its page. */
interface Download {
  target: number
  page: JsonValue
}

/**
 * Reads a slice by a job at the API: creates it, asks until it is done, and downloads what it made.
 * Jobs belong to the position: another invocation goes on asking for the same ones.
 */
export function asyncRetriever(component: Component, context: RetrieverContext): Retriever {
  const { stream, schema, ahead } = context
  const { env } = stream
  const api = buildJobApi(component, env)
  const jobs = new Jobs(api, jobRules(component, env), env)
  const { downloads, extractor } = buildDownloads(component, env)
  const { refine } = buildSelector(component.child('record_selector'), env, {
    transformations: stream.component.children('transformations'),
    extractor,
    schema,
  })
  /** What is being downloaded; pages are read on as long as it is the same object. */
  let open: { job: Job; targets: Value[]; target: number; slice: Slice } | undefined

  const page = (
    records: FetchedPage['records'],
    next: Download | typeof JOB | null,
    more = {},
  ) => ({
    records,
    next: next as JsonValue,
    kept: jobs.areNone ? null : { ...jobs.save(), ...more },
  })

  async function fetchPage(slice: Slice, token: JsonValue, progress: JsonObject) {
    let at = downloadOf(token)
    if (!at) {
      const outcome = await jobs.settle(slice, ahead)
      if (outcome === 'begun') return { ...page([], JOB), keep: true }
      if (outcome === 'skipped') return finish(slice)
      at = { target: 0, page: downloads.initialToken }
    }
    const done = await jobs.completed(slice)
    if (!done) return page([], JOB)
    if (open?.job !== done.job) {
      const targets = await api.targets(done.polled)
      if (targets.length === 0)
        env.ctx.log('warn', `${stream.name}: a job left nothing to download.`)
      open = { job: done.job, targets, target: -1, slice }
    }
    if (at.target >= open.targets.length) return finish(slice)
    if (open.target !== at.target) {
      const target = open.targets[at.target]
      open = {
        ...open,
        target: at.target,
        slice: api.downloadSlice(done.job, done.polled, target),
      }
    }
    const kept = progress.page ?? null
    const got = await downloads.fetch(open.slice, at.page, kept).catch((error: unknown) => {
      throw error instanceof WaitUntil ? error.under('page') : error
    })
    const records = refine(got.records, slice, null)
    if (got.rest !== undefined) {
      return { ...page(records, at, { page: got.rest }), clings: got.clings }
    }
    if (got.next !== null) return page(records, { ...at, page: got.next })
    return page(records, { target: at.target + 1, page: downloads.initialToken })
  }

  async function finish(slice: Slice) {
    open = undefined
    await jobs.finish(slice)
    return page([], null)
  }

  /** A job that an earlier invocation left may be gone by now; then another one is created. */
  async function recover(slice: Slice, error: unknown): Promise<FetchedPage> {
    const known = toAirbyteError(error)
    env.ctx.signal.throwIfAborted()
    if (known.kind === 'system' && jobs.replace(slice, known.message)) {
      open = undefined
      await downloads.close()
      return page([], JOB)
    }
    if (known.kind === 'config') await jobs.abortAll()
    // After a passing failure another invocation may go on with the job.
    else await jobs.drop(slice, known.kind === 'system')
    throw error
  }

  return {
    initialToken: JOB,
    async fetch(slice, token, progress) {
      jobs.restore(progress)
      const own = isObject(progress) ? progress : {}
      try {
        env.ctx.signal.throwIfAborted()
        return await fetchPage(slice, token, own)
      } catch (error) {
        if (error instanceof WaitUntil) throw error.keeping(jobs.save())
        return await recover(slice, error)
      }
    },
    async close(isOver = false) {
      await downloads.close()
      if (isOver || env.run.probes || isCancelled(env.ctx.signal)) await jobs.abortAll()
    },
  }
}

/** Not merely superseded by another invocation, which goes on with the jobs. */
const isCancelled = ({ aborted, reason }: AbortSignal) =>
  aborted && toAirbyteError(reason).code !== 'FENCE_LOST'

const downloadOf = (token: JsonValue): Download | undefined =>
  isObject(token) ? (token as unknown as Download) : undefined
