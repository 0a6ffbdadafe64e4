import type { RunningServer } from '../scripts/lib/local-server.ts'
import { sampleEvery } from './heap-samples.ts'
import { openInspector } from './inspector.ts'
import type { SyncFigures } from './measure-syncs.ts'
import { residentMegabytes } from './process-stats.ts'
import type { Workbench } from './syncs.ts'

interface HeapFigures {
  idleMB: number
  runs: { name: string; 'peak over idle MB': number; samples: number; 'resident MB': number }[]
}

/**
 * Runs each sync again, and the first two together, while the heap is collected and read four times
 * a second. Apart from the timed runs, because collecting costs time.
 */
export async function measureHeap({
  server,
  bench,
  syncs,
}: {
  server: RunningServer
  bench: Workbench
  syncs: SyncFigures[]
}): Promise<HeapFigures> {
  const inspector = await openInspector(server.inspectorUrl ?? '', async () =>
    (await fetch(`${server.url}/health`)).text(),
  )
  const [pid = 0] = server.workerdPids()
  const idle = await inspector.liveHeap()
  const names = syncs.map(({ name }) => name)
  const runs: HeapFigures['runs'] = []
  for (const group of [...names.map((name) => [name]), [names[0] ?? '', names.at(-1) ?? '']]) {
    const samples = await sampleEvery(inspector.liveHeap, () => Promise.all(group.map(bench.sync)))
    runs.push({
      name: group.join(' and '),
      'peak over idle MB': Math.round(Math.max(...samples) - idle),
      samples: samples.length,
      'resident MB': Math.round(residentMegabytes(pid)),
    })
  }
  inspector.close()
  return { idleMB: Math.round(idle), runs }
}
