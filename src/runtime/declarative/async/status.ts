import type { Component } from '../component.ts'
import { str } from '../python/text.ts'
import type { Value } from '../python/values.ts'

/** What an API says of a job. */
export type JobStatus = 'running' | 'completed' | 'failed' | 'timeout' | 'skipped'

const STATUSES: JobStatus[] = ['running', 'completed', 'failed', 'timeout', 'skipped']

/**
 * Reads an `AsyncJobStatusMap`: from the API's words, as Python writes them, to ours.
 *
 * @returns undefined for a word that the map does not have
 */
export function statusMap(component: Component): (word: Value) => JobStatus | undefined {
  const known = new Map<string, JobStatus>()
  for (const status of STATUSES) {
    if (status !== 'skipped') component.required(status)
    for (const word of component.list(status).map(String)) {
      if (known.has(word)) throw component.refuse(`'${word}' has two meanings.`, status)
      known.set(word, status)
    }
  }
  return (word) => known.get(str(word ?? null))
}
