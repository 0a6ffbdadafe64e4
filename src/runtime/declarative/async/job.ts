import { isObject, type JsonObject, type JsonValue, partitionKey } from '../../../protocol/index.ts'
import type { Slice } from '../environment.ts'
import { isMapping, mappingEntries } from '../python/mappings.ts'
import type { Answer } from '../requester/answer.ts'
import { parseJson } from '../requester/json-body.ts'
import { CaseInsensitiveMap } from '../template/index.ts'
import type { JobStatus } from './status.ts'

/** What is kept of an answer for the requests after it. Text, so that no digit is lost. */
export interface KeptAnswer {
  body: string
  headers: Record<string, string>
}

/** A job at the API for one slice. */
export interface Job {
  slice: Slice
  /** From 1. */
  attempt: number
  status: JobStatus
  /** Epoch milliseconds. */
  startedAt: number
  /** Absent when it could not be created. */
  creation?: KeptAnswer
  /** Why it could not be created. */
  error?: unknown
  /** Epoch milliseconds before which a failed job is not created anew. */
  retryAt?: number
  /** Of a completed job: the answer that said so. Not saved: targets expire. */
  polled?: Answer
  /** Begun by an earlier invocation. */
  isResumed: boolean
  /** Its status was asked for in this invocation. */
  wasAsked: boolean
}

/** A job's identity within its stream, the same after it was saved. */
export const jobKey = ({ partition, interval }: Slice) =>
  `${partitionKey(partition)} ${partitionKey(JSON.parse(JSON.stringify(interval)))}`

/** What an invocation leaves to the next one. */
export function saveJob(job: Job): JsonObject {
  const { attempt, startedAt, creation, retryAt } = job
  const { partition, interval, extra } = job.slice
  return {
    ...{
      slice: { partition, interval, extra },
      attempt,
      startedAt,
      failed: job.status === 'failed',
    },
    ...(creation ? { creation: { ...creation } } : {}),
    ...(retryAt === undefined ? {} : { retryAt }),
  }
}

/** @see saveJob */
export function loadJob(saved: JsonValue): Job | undefined {
  if (!isObject(saved) || !isObject(saved.slice)) return undefined
  const { failed, ...job } = saved as unknown as Job & { failed: boolean }
  return { ...job, status: failed ? 'failed' : 'running', isResumed: true, wasAsked: false }
}

/** An answer as templates see it: its fields, and its headers where it has no such field. */
export function answerScope({ body, headers }: KeptAnswer): Record<string, unknown> {
  const parsed = tryJson(body)
  const fields = isMapping(parsed) ? mappingEntries(parsed) : []
  return { headers: new CaseInsensitiveMap(Object.entries(headers)), ...Object.fromEntries(fields) }
}

function tryJson(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}
