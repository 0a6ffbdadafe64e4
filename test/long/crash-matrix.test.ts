import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningPostgres, startPostgres } from '../../scripts/lib/embedded-postgres.ts'
import type { ToolCall } from '../../scripts/lib/tool-call.ts'
import { FAULT_POINTS, type FaultPoint } from '../../src/core/fault-points.ts'
import {
  type CrashRun,
  createPipeline,
  type Destination,
  type Pipeline,
  runAndCrash,
} from './support/crash-run.ts'
import { type Contents, contentsOfTable, createEvents, ROWS } from './support/events.ts'
import {
  createPurchases,
  familyOf,
  familyQuestion,
  PURCHASES,
  purchasesOfSource,
  purchasesOfTable,
} from './support/purchases.ts'
import { askTables, contentsOfWarehouse } from './support/warehouse.ts'

const ONLY_STAGED: FaultPoint[] = [
  'read.chunk-staged',
  'read.stage-reported',
  'load.claimed',
  'load.before-commit',
]

interface Road {
  name: string
  to: 'postgres' | 'r2'
  transfer: Pipeline['transfer']
  points: readonly FaultPoint[]
}

const ROADS: Road[] = [
  { name: 'postgres → postgres, direct', to: 'postgres', transfer: 'direct', points: direct() },
  { name: 'postgres → postgres, staged', to: 'postgres', transfer: 'staged', points: FAULT_POINTS },
  { name: 'postgres → r2', to: 'r2', transfer: 'auto', points: direct() },
]

/** Passed once a chunk: killed there in the middle of a sync too. */
const REPEATED: FaultPoint[] = [
  'read.chunk-started',
  'read.chunk-staged',
  'read.stage-reported',
  'load.before-commit',
  'load.committed',
  'load.reported',
  'sync.state-committed',
]

/** Moments of random kills, the same in every run: a failure can be repeated. */
const RANDOM_MS = [200, 450, 700, 950, 1200]

let postgres: RunningPostgres
let source: string
let expected: Contents
let databases = 0

beforeAll(async () => {
  postgres = await startPostgres(['shared_buffers=256MB', 'max_wal_size=4GB'])
  source = await postgres.createDatabase('source')
  await withClient(source, async (client) => {
    await createEvents(client)
    expected = await contentsOfTable(client)
  })
  expect(expected.rows).toBe(ROWS)
})

afterAll(() => postgres?.stop())

describe.each(ROADS)('kill -9 while 200k rows move $name', (road) => {
  for (const point of road.points) {
    const hits = REPEATED.includes(point) ? [1, 2] : [1]
    for (const hit of hits) {
      it.concurrent(`at ${point}, time ${hit}: nothing is lost, nothing doubled`, async () => {
        await expectIntact(road, { point, hit })
      })
    }
  }

  for (const afterMs of RANDOM_MS) {
    it.concurrent(`after ${afterMs} ms: nothing is lost, nothing doubled`, async () => {
      await expectIntact(road, { afterMs })
    })
  }
})

/** Rows with arrays: each chunk is a commit in several tables, or of several files. */
const NESTED: [to: Road['to'], transfer: Road['transfer'], kill: CrashRun['kill']][] = [
  ['postgres', 'direct', { point: 'load.committed', hit: 2 }],
  ['postgres', 'direct', { point: 'read.chunk-started', hit: 3 }],
  ['postgres', 'staged', { point: 'load.before-commit', hit: 2 }],
  ['r2', 'direct', { point: 'load.committed', hit: 2 }],
  ['r2', 'direct', { point: 'read.chunk-started', hit: 3 }],
]

describe('kill -9 while 10k rows move with the elements of their arrays', () => {
  for (const [to, transfer, kill] of NESTED) {
    it.concurrent(`to ${to}, ${transfer}, at ${JSON.stringify(kill)}: rows and elements are whole`, async () => {
      const found = await crashed(to, kill, {
        create: (call, destination) => createPurchases(call, { destination, transfer }),
        ofTable: purchasesOfTable,
        ofWarehouse: async (stateDirectory) => {
          const family = await askTables(
            stateDirectory,
            [{ table: 'purchases' }, { table: 'purchases_tags' }],
            ([purchases, tags]) => familyQuestion(purchases, tags),
          )
          return familyOf(family)
        },
      })
      const { elements, purchases } = await purchasesOfSource()
      expect(purchases).toHaveLength(PURCHASES)
      expect(elements).toBeGreaterThan(PURCHASES)
      expect(found).toEqual({ elements, purchases })
    })
  }
})

it('has every fault point on some road', () => {
  expect(new Set(ROADS.flatMap(({ points }) => points))).toEqual(new Set(FAULT_POINTS))
})

async function expectIntact({ to, transfer }: Road, kill: CrashRun['kill']): Promise<void> {
  const contents = await crashed(to, kill, {
    create: (call, destination) => createPipeline(call, { source, transfer, destination }),
    ofTable: contentsOfTable,
    ofWarehouse: contentsOfWarehouse,
  })
  expect(contents).toEqual(expected)
}

interface Question<T> {
  create(call: ToolCall, destination: Destination): Promise<unknown>
  ofTable(client: Client): Promise<T>
  ofWarehouse(stateDirectory: string): Promise<T>
}

/** What is at the destination after a sync was killed, and went on. */
async function crashed<T>(
  to: Road['to'],
  kill: CrashRun['kill'],
  { create, ofTable, ofWarehouse }: Question<T>,
): Promise<T> {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'airbyte-crash-'))
  try {
    const url = to === 'postgres' ? await postgres.createDatabase(`target${++databases}`) : ''
    const destination: Destination = to === 'postgres' ? { type: to, url } : { type: to }
    const outcome = await runAndCrash({
      ...{ stateDirectory, kill },
      create: (call) => create(call, destination),
    })
    expect(outcome).toEqual({ killed: true, status: 'succeeded' })
    return to === 'postgres' ? await withClient(url, ofTable) : await ofWarehouse(stateDirectory)
  } finally {
    rmSync(stateDirectory, { recursive: true, force: true })
  }
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(url)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

function direct(): FaultPoint[] {
  return FAULT_POINTS.filter((point) => !ONLY_STAGED.includes(point))
}
