import { cpuSeconds } from '../process-stats.ts'
import { type Bench, type Figure, ROUNDS } from './figures.ts'

interface Followed {
  /** Of the actors and the connection, which are made. */
  name: string
  source: string
  sourceConfig: object
  namespace: string
  target: string
  /** Makes the changes that the next sync moves. */
  change(round: number): Promise<unknown>
}

/**
 * A first sync, which copies the table, and the fastest of those that each apply the changes since;
 * throws when one is missing.
 */
export async function syncOften(
  { server, workbench, rows, changes }: Bench,
  { name, source, sourceConfig, namespace, target, change }: Followed,
): Promise<[Figure, Figure]> {
  const from = `${name}-source`
  await workbench.database('source', from, source, sourceConfig)
  await workbench.database('destination', `${name}-target`, target)
  const stream = { name: 'orders', namespace, syncMode: 'incremental', primaryKey: [['id']] }
  await workbench.connect(name, from, `${name}-target`, {
    streams: [{ ...stream, destinationSyncMode: 'append_dedup' }],
  })

  async function measured(what: string, expected: number): Promise<Figure> {
    const before = cpuSeconds(server.workerdPids())
    const { startedAt, endedAt, streams } = await workbench.sync(name)
    const loaded = streams.reduce((sum, stream) => sum + stream.rowsLoaded, 0)
    if (loaded !== expected) throw new Error(`${name}: ${loaded} of ${expected} were loaded.`)
    return {
      ...{ name: what, rows: loaded },
      seconds: (Date.parse(endedAt) - Date.parse(startedAt)) / 1000,
      cpuSeconds: cpuSeconds(server.workerdPids()) - before,
    }
  }

  const first = await measured('the first sync, to postgres', rows)
  const applied: Figure[] = []
  for (let round = 0; round < ROUNDS; round++) {
    await change(round)
    applied.push(await measured('changes, applied to postgres by a sync', changes))
  }
  const [best] = applied.sort((a, b) => a.seconds - b.seconds) as [Figure]
  return [
    first,
    { ...best, note: `of ${applied.map(({ seconds }) => seconds.toFixed(1)).join(', ')} s` },
  ]
}
