import { AirbyteError, type JsonValue } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import type { Environment, Slice } from '../environment.ts'
import type { Value } from '../python/values.ts'
import { buildExtractor, type Extractor } from '../records/extractor.ts'
import type { Answer } from '../requester/answer.ts'
import { buildRequester, type Requester } from '../requester/http-requester.ts'
import { answerScope, type Job, type KeptAnswer } from './job.ts'
import { type JobStatus, statusMap } from './status.ts'

/** The requests of a job's life. */
export interface JobApi {
  /** @param progress what a wait in the middle of this request's attempts kept */
  create(slice: Slice, progress: JsonValue): Promise<KeptAnswer>
  poll(job: Job, progress: JsonValue): Promise<{ status: JobStatus; answer: Answer }>
  /** What to download, from the answer that completed the job. */
  targets(polled: Answer): Promise<Value[]>
  /** The job's slice, as the templates of its download see it. */
  downloadSlice(job: Job, polled: Answer, target: Value): Slice
  /** Tells the API that the job is not wanted any more; undefined where it has no such request. */
  abort?(job: Job): Promise<void>
  delete?(job: Job): Promise<void>
}

export function buildJobApi(component: Component, env: Environment): JobApi {
  const decoder = component.optionalChild('decoder')
  const requester = (field: string, own = env) => {
    const child = component.optionalChild(field)
    return child && buildRequester(child, own)
  }
  const extractor = (field: string) => buildExtractor(component.child(field), env, decoder)
  const creation = buildRequester(component.child('creation_requester'), env)
  const polling = buildRequester(component.child('polling_requester'), env)
  const statusOf = statusMap(component.child('status_mapping'))
  const statusExtractor = extractor('status_extractor')
  const targetRequester = requester('download_target_requester')
  const hasTargets = component.has('download_target_extractor')
  if (targetRequester && !hasTargets) {
    throw component.refuse(
      'It is needed for download_target_requester.',
      'download_target_extractor',
    )
  }
  const targetExtractor = hasTargets ? extractor('download_target_extractor') : undefined
  const tidy = tidyEnvironment(env)
  const [abort, remove] = [requester('abort_requester', tidy), requester('delete_requester', tidy)]
  const keepsHeaders = HEADERS.test(JSON.stringify(component.fields))

  return {
    async create(slice, progress) {
      const answer = await ask(creation, slice, progress)
      if (!answer?.ok) throw failed(env, 'the request that creates a job was not accepted.')
      return kept(answer, keepsHeaders)
    },
    async poll(job, progress) {
      const answer = await ask(polling, jobSlice(job), progress)
      if (!answer) throw failed(env, 'the request for the status of a job has no answer.')
      const [word] = await all(statusExtractor, answer)
      const status = statusOf(word)
      if (status) return { status, answer }
      throw failed(
        env,
        `the API gives a job the status '${word ?? null}', which status_mapping does not have.`,
        component.pathOf('status_mapping'),
      )
    },
    async targets(polled) {
      // One download without a target.
      if (!targetExtractor) return ['']
      if (!targetRequester) return all(targetExtractor, polled)
      const scope = { polling_response: answerScope(kept(polled, true)) }
      const answer = await ask(targetRequester, withExtra(NOTHING, scope))
      if (!answer?.ok) throw failed(env, 'the request for the targets of a job was not accepted.')
      return all(targetExtractor, answer)
    },
    downloadSlice: (job, polled, target) =>
      withExtra(jobSlice(job), {
        polling_response: answerScope(kept(polled, true)),
        download_target: target,
      }),
    abort: abort && (async (job) => void (await ask(abort, jobSlice(job)))),
    delete: remove && (async (job) => void (await ask(remove, jobSlice(job)))),
  }
}

/** Headers are kept only for templates that may look at them: they may hold cookies. */
const HEADERS = /(creation|polling)_response[^"]*headers/

const NOTHING: Slice = { partition: {}, interval: {}, extra: {} }

const ask = (requester: Requester, slice: Slice, progress?: JsonValue) =>
  requester.send({ slice, token: null, parts: [], progress })

function jobSlice({ slice, creation }: Job): Slice {
  return creation ? withExtra(slice, { creation_response: answerScope(creation) }) : slice
}

/** Templates see these by their names; they are no JSON, and are never saved. */
const withExtra = (slice: Slice, extra: Record<string, unknown>): Slice => ({
  ...slice,
  extra: { ...slice.extra, ...(extra as Slice['extra']) },
})

const kept = ({ text, headers }: Answer, withHeaders: boolean): KeptAnswer => ({
  body: text,
  headers: withHeaders ? Object.fromEntries(headers) : {},
})

async function all({ extract }: Extractor, answer: Answer): Promise<Value[]> {
  const values: Value[] = []
  for await (const batch of extract(answer)) for (const value of batch) values.push(value)
  return values
}

const failed = ({ stream }: Environment, what: string, field?: string) =>
  new AirbyteError('JOB_FAILED', `${stream}: ${what}`, { stream, field })

const TIDY_TIMEOUT_MS = 10_000

/** Jobs are tidied away also when the read was cancelled. */
function tidyEnvironment(env: Environment): Environment {
  const { http } = env.ctx
  return {
    ...env,
    ctx: {
      ...env.ctx,
      signal: new AbortController().signal,
      http: {
        fetch: (url, init) =>
          http.fetch(url, { ...init, afterCancel: true, timeoutMs: TIDY_TIMEOUT_MS }),
      },
    },
  }
}
