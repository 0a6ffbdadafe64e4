import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningPostgres, startPostgres } from '../../scripts/lib/embedded-postgres.ts'
import { FAULT_POINTS, type FaultPoint } from '../../src/core/fault-points.ts'
import { type CrashRun, createPipeline, type Pipeline, runAndCrash } from './support/crash-run.ts'
import { type Contents, contentsOfTable, createEvents, ROWS } from './support/events.ts'
import { contentsOfWarehouse } from './support/warehouse.ts'

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

it('has every fault point on some road', () => {
  expect(new Set(ROADS.flatMap(({ points }) => points))).toEqual(new Set(FAULT_POINTS))
})

async function expectIntact(road: Road, kill: CrashRun['kill']): Promise<void> {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'airbyte-crash-'))
  try {
    const url = road.to === 'postgres' ? await postgres.createDatabase(`target${++databases}`) : ''
    const outcome = await runAndCrash({
      ...{ stateDirectory, kill },
      create: (call) =>
        createPipeline(call, {
          ...{ source, transfer: road.transfer },
          destination: road.to === 'postgres' ? { type: 'postgres', url } : { type: 'r2' },
        }),
    })
    expect(outcome).toEqual({ killed: true, status: 'succeeded' })
    const contents =
      road.to === 'postgres'
        ? await withClient(url, contentsOfTable)
        : await contentsOfWarehouse(stateDirectory)
    expect(contents).toEqual(expected)
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
