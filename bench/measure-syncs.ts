import type { RunningPostgres } from '../scripts/lib/embedded-postgres.ts'
import type { RunningServer } from '../scripts/lib/local-server.ts'
import { cpuSeconds } from './process-stats.ts'
import type { Workbench } from './syncs.ts'

export interface SyncFigures {
  name: string
  seconds: number
  /** Of workerd, which also plays R2 and the queues here. */
  cpuSeconds: number
  transfer: string
}

interface Bench {
  server: RunningServer
  bench: Workbench
  postgres: RunningPostgres
  source: string
  rows: number
}

/** One full refresh by each road; throws when a row is missing. */
export async function measureSyncs(options: Bench): Promise<SyncFigures[]> {
  const { bench, postgres, source } = options
  await bench.database('source', 'source', source)
  await bench.database('destination', 'postgres', await postgres.createDatabase('target'))
  await bench.database('destination', 'staged', await postgres.createDatabase('target_staged'))
  await bench.parquet('parquet')
  await bench.connect('postgres → postgres', 'source', 'postgres')
  await bench.connect('postgres → postgres, staged', 'source', 'staged', { transfer: 'staged' })
  await bench.connect('postgres → r2 Parquet', 'source', 'parquet')
  const figures: SyncFigures[] = []
  for (const name of [
    'postgres → postgres',
    'postgres → postgres, staged',
    'postgres → r2 Parquet',
  ]) {
    figures.push(await measure(options, name))
  }
  return figures
}

async function measure({ server, bench, rows }: Bench, name: string): Promise<SyncFigures> {
  const before = cpuSeconds(server.workerdPids())
  const { startedAt, endedAt, streams } = await bench.sync(name)
  const spent = cpuSeconds(server.workerdPids()) - before
  const loaded = streams.reduce((sum, stream) => sum + stream.rowsLoaded, 0)
  if (loaded !== rows) throw new Error(`${name}: ${loaded} of ${rows} rows were loaded.`)
  return {
    name,
    seconds: (Date.parse(endedAt) - Date.parse(startedAt)) / 1000,
    cpuSeconds: spent,
    transfer: streams.map(({ transfer, format }) => `${transfer} ${format}`).join(),
  }
}
