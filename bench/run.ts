/**
 * `npm run bench`: what the server moves and spends, beside what moves the same rows without it.
 * Everything in one run on one machine, so that the ratios mean something.
 *
 *   npm run bench -- --rows 10000000
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { startPostgres } from '../scripts/lib/embedded-postgres.ts'
import { startServer } from '../scripts/lib/local-server.ts'
import { detail, say, table } from '../scripts/lib/terminal.ts'
import { fillOrders } from './dataset.ts'
import { measureDeclarative } from './declarative/measure.ts'
import { measureHeap } from './heap.ts'
import { measureSyncs } from './measure-syncs.ts'
import { runPeers } from './peers.ts'
import { saveResult } from './results.ts'
import { openWorkbench } from './syncs.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    calls: { type: 'string', default: '200' },
    'skip-peers': { type: 'boolean', default: false },
    'skip-heap': { type: 'boolean', default: false },
    'skip-declarative': { type: 'boolean', default: false },
  },
})
const rows = Number(values.rows)
/** `node bench/declarative.ts` reads more, and more than once. */
const BOUNDED_DECLARATIVE = {
  ...{ records: 100_000, rounds: 1, cdkRecords: 10_000, workerdRecords: 50_000 },
}
const directory = mkdtempSync(join(tmpdir(), 'airbyte-bench-'))
const postgres = await startPostgres(['shared_buffers=512MB', 'max_wal_size=4GB', 'autovacuum=off'])

try {
  const source = await postgres.createDatabase('source')
  const client = new Client(source)
  await client.connect()
  await fillOrders(client, rows)
  await client.end()
  say(`source: ${rows.toLocaleString('en')} rows × 16 columns`)

  const peers = values['skip-peers'] ? [] : await runPeers(source, postgres.createDatabase)
  const pipe = peers.find(({ seconds }) => seconds !== undefined)
  say('peers')
  for (const line of table(
    peers.map(({ name, seconds, note }) => ({ name, ...perSecond(seconds), note: note ?? '' })),
  )) {
    detail(line)
  }

  const server = await startServer({ stateDirectory: join(directory, 'state'), inspectorPort: 0 })
  try {
    const bench = await openWorkbench(server.url)
    const toolCallMs = await bench.toolCallMedian(Number(values.calls))
    say(`MCP tool call: median ${toolCallMs.toFixed(1)} ms of ${values.calls}`)

    const syncs = await measureSyncs({ server, bench, postgres, source, rows })
    say('syncs')
    const shown = syncs.map(({ name, seconds, cpuSeconds, transfer }) => ({
      name,
      ...perSecond(seconds),
      'of the pipe': pipe?.seconds ? (pipe.seconds / seconds).toFixed(2) : '',
      'CPU s': cpuSeconds.toFixed(1),
      transfer,
    }))
    for (const line of table(shown)) detail(line)

    const heap = values['skip-heap'] ? undefined : await measureHeap({ server, bench, syncs })
    if (heap) {
      say('live heap over idle, after a collection')
      for (const line of table(heap.runs)) detail(line)
    }
    await bench.close()
    const declarative = values['skip-declarative']
      ? undefined
      : await measureDeclarative(BOUNDED_DECLARATIVE)
    saveResult('syncs', { rows, peers, toolCallMs, syncs, heap, declarative })
  } finally {
    await server.stop()
  }
} finally {
  await postgres.stop()
  rmSync(directory, { recursive: true, force: true })
}

function perSecond(seconds: number | undefined) {
  if (seconds === undefined) return { seconds: '-', 'rows/s': '-' }
  return {
    seconds: seconds.toFixed(1),
    'rows/s': Math.round(rows / seconds).toLocaleString('en'),
  }
}
