import { cpus } from 'node:os'
import { detail, say, table } from '../../scripts/lib/terminal.ts'
import { type CommandRun, timeCdk, timeOurs } from './commands.ts'
import { runInWorkerd } from './in-workerd.ts'
import { loadAverage, runInNode, startApi } from './processes.ts'
import type { Run } from './run.ts'

export interface DeclarativeOptions {
  records: number
  /** Of which the best counts: the machine has other work. */
  rounds: number
  /** What the CDK reads; it is slower. */
  cdkRecords: number
  workerdRecords: number
}

const ROADS: Record<string, string> = {
  ceiling: 'fetch and JSON.parse alone',
  source: 'source, into nothing',
  'source by fetch': 'the same by fetch',
  'dev-null': 'sync to dev-null',
  r2: 'sync to r2 (Parquet)',
  workerd: 'the same in workerd',
}

export interface DeclarativeFigures {
  load: { before: string; after: string }
  roads: Run[]
  command: CommandRun
  cdk?: CommandRun
}

/** One stream of nested records, 100 a page, by each road; prints as it goes. */
export async function measureDeclarative(options: DeclarativeOptions): Promise<DeclarativeFigures> {
  const { records, rounds, cdkRecords, workerdRecords } = options
  const before = loadAverage()
  const api = await startApi()
  try {
    say(
      `declarative: ${records.toLocaleString('en')} records, 100 a page, best of ${rounds} on ${cpus().length} cores, load ${before}`,
    )
    const roads: Run[] = []
    for (const road of ['ceiling', 'source', 'source by fetch', 'dev-null', 'r2']) {
      const runs = await repeat(rounds, () => runInNode(road, api.url, records))
      const { heap } = await runInNode(road, api.url, records, { heap: true })
      roads.push({ ...best(runs), heap })
    }
    roads.push(await runInWorkerd(api.url, workerdRecords))
    const command = await timeOurs({ url: api.url, records, rounds })
    const cdk = await timeCdk({ url: api.url, records: cdkRecords, rounds })
    const figures = { load: { before, after: loadAverage() }, roads, command, cdk }
    show(figures)
    return figures
  } finally {
    api.stop()
  }
}

async function repeat<T>(times: number, run: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let i = 0; i < times; i++) results.push(await run())
  return results
}

const best = <T extends { seconds: number }>(runs: T[]): T =>
  runs.reduce((a, b) => (b.seconds < a.seconds ? b : a))

function show({ roads, command, cdk, load }: DeclarativeFigures): void {
  const rateOf = ({ records, seconds }: CommandRun) => records / seconds
  const cdkRate = cdk && rateOf(cdk)
  const ceiling = roads.find(({ road }) => road === 'ceiling')
  const row = (name: string, run: CommandRun & { heap?: number[] }) => ({
    '': name,
    'records/s': Math.round(rateOf(run)).toLocaleString('en'),
    'CPU µs/record': run.cpuMicros.toFixed(1),
    'heap MB, by quarters': run.heap?.join(' ') ?? '',
    'of fetch alone': ceiling ? (rateOf(run) / rateOf(ceiling)).toFixed(2) : '',
    'of the CDK': cdkRate ? `${(rateOf(run) / cdkRate).toFixed(1)} ×` : '',
  })
  const rows = [
    ...roads.map((run) => row(ROADS[run.road] ?? run.road, run)),
    row('connector read, printed', command),
    ...(cdk ? [row('airbyte-cdk, printed', cdk)] : []),
  ]
  for (const line of table(rows)) detail(line)
  if (!cdk) detail('no airbyte-cdk here: CDK_PYTHON names a Python that has it')
  detail(`load ${load.after} at the end`)
}
