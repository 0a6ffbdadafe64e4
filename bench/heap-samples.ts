import { setTimeout as sleep } from 'node:timers/promises'

const EVERY_MS = 250
const MEGABYTE = 1024 * 1024

/** What `read` gives while something runs, by default four times a second. */
export async function sampleEvery(
  read: () => Promise<number>,
  run: () => Promise<unknown>,
  everyMs = EVERY_MS,
): Promise<number[]> {
  let running = true
  const done = run().finally(() => {
    running = false
  })
  const samples: number[] = []
  while (running) {
    samples.push(await read())
    await sleep(everyMs)
  }
  await done
  return samples
}

/** The most of each quarter, whole: equal ones show that nothing grows. */
export function byQuarters(samples: number[]): number[] {
  return [0, 1, 2, 3].map((quarter) => {
    const from = Math.floor((samples.length * quarter) / 4)
    const to = Math.max(from + 1, Math.floor((samples.length * (quarter + 1)) / 4))
    return Math.round(Math.max(...samples.slice(from, to)))
  })
}

/** Live megabytes of this process after a collection; needs `--expose-gc`. */
export async function liveHeap(): Promise<number> {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed / MEGABYTE
}
