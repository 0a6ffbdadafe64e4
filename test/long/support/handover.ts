/** Tables that are written to while they are snapshotted and followed: one of each seed. */
import { setTimeout as sleep } from 'node:timers/promises'

/** Of each: a table and a writer of its own. They share a sync, so that a seed costs a second. */
const PER_SYNC = 25
export const ROWS = 300
/** Between a writer's transactions: a sync must get to the end of what all of them write. */
export const PAUSE_MS = 100
/** How often the connection to the log is cut. */
const CUT_MS = 1500

/** `SEEDS` seeds, from `FIRST_SEED` on: the first of each group, and the group. */
export function seedGroups(usual: number): [first: number, seeds: number[]][] {
  const { FIRST_SEED = 1, SEEDS = usual } = process.env
  const seeds = Array.from({ length: Number(SEEDS) }, (_, n) => Number(FIRST_SEED) + n)
  return Array.from({ length: Math.ceil(seeds.length / PER_SYNC) }, (_, group) => {
    const some = seeds.slice(group * PER_SYNC, (group + 1) * PER_SYNC)
    return [some[0] as number, some]
  })
}

/** Streams of the seeds' tables. */
export const streamsOf = (seeds: number[], namespace: string) =>
  seeds.map((seed) => ({
    ...{ name: `t${seed}`, namespace, syncMode: 'incremental' },
    ...{ destinationSyncMode: 'append_dedup', primaryKey: [['id']] },
  }))

/**
 * Each seed's writer writes, and the reader of the log loses its connection, for as long as `work` takes.
 *
 * @param trouble.write a seed's writer; the transactions that it made
 * @param trouble.cut how many connections it cut
 */
export async function underTrouble(
  seeds: number[],
  trouble: {
    write(seed: number, goesOn: () => boolean): Promise<number>
    cut(): Promise<number>
  },
  work: () => Promise<unknown>,
): Promise<{ transactions: number; cuts: number }> {
  let running = true
  const writers = seeds.map((seed) => trouble.write(seed, () => running))
  let cuts = 0
  const cutting = (async () => {
    for (; running; await sleep(CUT_MS)) cuts += await trouble.cut()
  })()
  try {
    await work()
  } finally {
    running = false
  }
  const counts = await Promise.all(writers)
  await cutting
  return { transactions: counts.reduce((sum, n) => sum + n, 0), cuts }
}
