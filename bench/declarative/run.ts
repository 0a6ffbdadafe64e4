/**
 * One run in a process of its own: `node --expose-gc run.ts <road> <url> <total> [heap]`. Prints JSON.
 * Roads: `ceiling` (fetch and JSON.parse alone), `source` (batches that nobody takes), `dev-null`, `r2`;
 * `source by fetch` goes through the global `fetch`, the others over connections that are kept.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import devNull from '../../connectors/destinations/dev-null/index.ts'
import r2 from '../../connectors/destinations/r2/index.ts'
import { createNodeContext } from '../../src/egress/node-context.ts'
import type { AirbyteStream, ConfiguredStream } from '../../src/protocol/index.ts'
import { declarativeSource } from '../../src/runtime/declarative/index.ts'
import { fileStore } from '../../src/staging/file-store.ts'
import { byQuarters, liveHeap, sampleEvery } from '../heap-samples.ts'
import { INFO, MANIFEST } from './manifest.ts'
import { syncInNode } from './sync.ts'

export interface Run {
  road: string
  records: number
  seconds: number
  /** Of this process, microseconds a record. */
  cpuMicros: number
  transfer?: string
  /** Live megabytes over idle after a collection: the most of each quarter of the run. */
  heap?: number[]
}

const [road = '', url = '', total = '', wantsHeap] = process.argv.slice(2)
const config = { url, token: 'bench', total: Number(total) }
const source = declarativeSource(MANIFEST, INFO)
const network = { keepsConnections: road !== 'source by fetch' }
const stream = await discovered()

const idle = await liveHeap()
let moved = { rows: 0 } as Moved
const cpu = process.cpuUsage()
const began = performance.now()
const samples = wantsHeap ? await sampleEvery(liveHeap, runOnce) : await runOnce()
const seconds = (performance.now() - began) / 1000
const { user, system } = process.cpuUsage(cpu)
const { rows, transfer } = moved
if (rows !== config.total) throw new Error(`${road}: ${rows} of ${total} records arrived.`)
const run: Run = {
  ...{ road, records: rows, seconds, cpuMicros: (user + system) / rows, transfer },
  ...(samples && { heap: byQuarters(samples.map((megabytes) => megabytes - idle)) }),
}
process.stdout.write(`${JSON.stringify(run)}\n`)

async function runOnce(): Promise<undefined> {
  moved = await move()
}

async function discovered(): Promise<AirbyteStream> {
  const { streams } = await source.discover(createNodeContext(network), config)
  const [first] = streams
  if (!first) throw new Error('The manifest has no stream.')
  return first
}

interface Moved {
  rows: number
  transfer?: string
}

async function move(): Promise<Moved> {
  switch (road) {
    case 'ceiling':
      return { rows: await ceiling() }
    case 'source':
    case 'source by fetch':
      return { rows: await readAlone() }
    default: {
      const directory = mkdtempSync(join(tmpdir(), 'airbyte-bench-'))
      const destination = road === 'r2' ? r2 : devNull
      try {
        return await syncInNode({
          source,
          stream,
          config,
          destination,
          store: fileStore(directory),
        })
      } finally {
        rmSync(directory, { recursive: true, force: true })
      }
    }
  }
}

/** What no engine can be faster than: the same pages, fetched and parsed. */
async function ceiling(): Promise<number> {
  let records = 0
  for (let page = 1; records < config.total; page++) {
    const answer = await fetch(`${url}/people?total=${total}&page=${page}&per_page=100`)
    const { data } = JSON.parse(await answer.text()) as { data: unknown[] }
    records += data.length
  }
  return records
}

async function readAlone(): Promise<number> {
  const configured: ConfiguredStream = {
    ...{ stream, syncMode: 'full_refresh', destinationSyncMode: 'append', cursorField: [] },
    ...{ primaryKey: [], generationId: 1, minimumGenerationId: 0, syncId: 1, format: 'records' },
  }
  let records = 0
  const events = source.read(createNodeContext(network), config, [configured], {
    streams: new Map(),
  })
  for await (const event of events) {
    if (event.type === 'error') throw new Error(event.error.message)
    if (event.type === 'batch' && event.batch.kind === 'records') records += event.batch.length
  }
  return records
}
