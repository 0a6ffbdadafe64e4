import { join } from 'node:path'
import { startServer } from '../../scripts/lib/local-server.ts'
import type { LogPlace } from '../../src/runtime/source-log.ts'
import { cpuSeconds } from '../process-stats.ts'
import type { Figure } from './figures.ts'
import type { Job } from './worker.ts'

/** The sources alone, in a Worker that keeps nothing of what they read. */
export interface Reader {
  /** Sets the log up, to be read from here on. */
  prepare(job: Omit<Job, 'action'>): Promise<{ place: LogPlace }>
  /** The best time and the least CPU of so many rounds. */
  measure(name: string, job: Job, rounds: number): Promise<Figure>
  stop(): Promise<void>
}

export async function openReader(stateDirectory: string): Promise<Reader> {
  const configPath = join(import.meta.dirname, 'wrangler.toml')
  const server = await startServer({ stateDirectory, configPath })

  async function ask<T>(job: Job): Promise<T> {
    const response = await fetch(server.url, { method: 'POST', body: JSON.stringify(job) })
    if (!response.ok) throw new Error(`${job.action} ${job.type}: ${await response.text()}`)
    return (await response.json()) as T
  }

  return {
    prepare: (job) => ask({ ...job, action: 'prepare' }),
    async measure(name, job, rounds) {
      const taken: { rows: number; seconds: number; cpu: number }[] = []
      for (let round = 0; round < rounds; round++) {
        const before = cpuSeconds(server.workerdPids())
        const began = performance.now()
        const { rows } = await ask<{ rows: number }>(job)
        const seconds = (performance.now() - began) / 1000
        taken.push({ rows, seconds, cpu: cpuSeconds(server.workerdPids()) - before })
      }
      return {
        ...{ name, rows: taken[0]?.rows ?? 0 },
        seconds: Math.min(...taken.map(({ seconds }) => seconds)),
        cpuSeconds: Math.min(...taken.map(({ cpu }) => cpu)),
      }
    },
    stop: () => server.stop(),
  }
}
