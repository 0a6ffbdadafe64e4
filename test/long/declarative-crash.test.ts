import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningPostgres, startPostgres } from '../../scripts/lib/embedded-postgres.ts'
import type { ToolCall } from '../../scripts/lib/tool-call.ts'
import type { FaultPoint } from '../../src/core/fault-points.ts'
import { type CrashRun, createDestination, runAndCrash } from './support/crash-run.ts'
import type { Contents } from './support/events.ts'
import {
  contentsOfShop,
  exportManifest,
  ordersManifest,
  questionOfOrders,
  type ShopServer,
  startShop,
} from './support/shop-server.ts'
import { askWarehouse } from './support/warehouse.ts'

const CUSTOMERS = 60
/** 40 s, and a second for the fraction that the API rounded away: more than a read sleeps through. */
const RETRY_AFTER = 40
const REFUSED = 23

interface Road {
  name: string
  to: 'postgres' | 'r2'
  modes: { syncMode: string; destinationSyncMode: string }
}

const ROADS: Road[] = [
  {
    ...{ name: 'postgres, incremental with dedup', to: 'postgres' },
    modes: { syncMode: 'incremental', destinationSyncMode: 'append_dedup' },
  },
  {
    ...{ name: 'r2, as a full refresh', to: 'r2' },
    modes: { syncMode: 'full_refresh', destinationSyncMode: 'overwrite' },
  },
]

/** The gaps of a chunk's way, and how often each is passed before the runtime dies there. */
const KILLS: [point: FaultPoint, hit: number][] = [
  ['plan.frozen', 1],
  ['read.claimed', 2],
  ['read.prepared', 2],
  ['read.chunk-started', 3],
  ['load.committed', 1],
  ['load.committed', 4],
  ['load.reported', 3],
  ['read.advanced', 2],
  ['sync.state-committed', 3],
  ['sync.outbox-written', 3],
  ['finish.swapped', 1],
  ['finish.reported', 1],
]

const RANDOM_MS = [300, 900, 1500]
/** So that no machine is through with its 150 and more requests before the last of these moments. */
const ANSWER_MS = 25

let postgres: RunningPostgres
let databases = 0

beforeAll(async () => {
  postgres = await startPostgres()
})

afterAll(() => postgres?.stop())

describe.each(ROADS)('kill -9 while orders of 60 customers move into $name', (road) => {
  for (const [point, hit] of KILLS) {
    it.concurrent(`at ${point}, time ${hit}: nothing is lost, nothing doubled`, async () => {
      await expectIntact(road, { kill: () => ({ point, hit }) })
    })
  }

  for (const afterMs of RANDOM_MS) {
    it.concurrent(`after ${afterMs} ms: nothing is lost, nothing doubled`, async () => {
      await expectIntact(road, {
        prepare: (shop) => {
          shop.answerMs = ANSWER_MS
        },
        kill: () => ({ afterMs }),
      })
    })
  }
})

describe.each(ROADS)('kill -9 while a read into $name waits', (road) => {
  it.concurrent('for an API that is busy: it goes on then, at that very page', async () => {
    let refusedAt = 0
    const { requests } = await expectIntact(road, {
      prepare(shop) {
        shop.refuse = ({ customer }) => {
          if (customer !== REFUSED) return undefined
          refusedAt ||= Date.now()
          return Date.now() < refusedAt + RETRY_AFTER * 1000 ? RETRY_AFTER : undefined
        }
      },
      kill: (shop) => ({ when: () => asleepAfter(shop, ({ customer }) => customer === REFUSED) }),
    })
    const refused = requests.findIndex(({ customer }) => customer === REFUSED)
    const [first, second] = requests.slice(refused)
    expect(second).toMatchObject({ customer: REFUSED, page: 0 })
    const waited = (second?.at ?? 0) - (first?.at ?? 0)
    expect(waited).toBeGreaterThanOrEqual(RETRY_AFTER * 1000)
  })

  it.concurrent('for a young job at the API: it asks for that job then, and for no other', async () => {
    await expectOneJob(road, {
      prepare: (shop) => {
        shop.jobMs = 12_000
      },
      // The job was made and asked for: the next poll is slept for.
      kill: (shop) => ({ when: () => requested(shop, 2) }),
    })
  })

  it.concurrent('for a job at the API: it asks for that job then, and for no other', async () => {
    await expectOneJob(road, {
      prepare: (shop) => {
        shop.jobMs = 45_000
      },
      // Half a minute of polls is slept through; then the read waits between invocations.
      kill: (shop) => ({ when: () => asleepAfter(shop, () => shop.requests.length >= 7) }),
    })
  })
})

interface Case {
  manifest?: string
  prepare?(shop: ShopServer): void
  kill(shop: ShopServer): CrashRun['kill']
}

/** Resolves once nothing was asked of the shop for a while after such a request. */
async function asleepAfter(
  { requests }: ShopServer,
  wanted: (request: ShopServer['requests'][0]) => boolean,
): Promise<void> {
  while (!requests.some(wanted) || Date.now() - (requests.at(-1)?.at ?? 0) < 8000) await sleep(100)
}

async function requested({ requests }: ShopServer, count: number): Promise<void> {
  while (requests.length < count) await sleep(20)
}

async function expectOneJob(road: Road, kill: Case): Promise<void> {
  const modes = { syncMode: 'full_refresh', destinationSyncMode: 'overwrite' }
  const { requests } = await expectIntact(
    { ...road, modes },
    { ...kill, manifest: exportManifest() },
  )
  expect(requests.filter(({ path }) => path === '/jobs')).toHaveLength(1)
}

async function expectIntact(road: Road, { manifest, prepare, kill }: Case) {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'airbyte-shop-crash-'))
  const shop = await startShop(CUSTOMERS, (customer) => 1 + (customer % 5))
  try {
    prepare?.(shop)
    const url = road.to === 'postgres' ? await postgres.createDatabase(`orders${++databases}`) : ''
    const outcome = await runAndCrash({
      ...{ stateDirectory, kill: kill(shop) },
      create: (call) => createShop(call, road, shop, manifest ?? ordersManifest(), url),
    })
    expect(outcome).toEqual({ killed: true, status: 'succeeded' })
    const contents =
      road.to === 'postgres'
        ? await contentsOfTable(url)
        : await askWarehouse(stateDirectory, (files) => questionOfOrders(`read_parquet(${files})`))
    expect(contents).toEqual(contentsOfShop(shop))
    return shop
  } finally {
    shop.stop()
    rmSync(stateDirectory, { recursive: true, force: true })
  }
}

async function createShop(
  call: ToolCall,
  { to, modes }: Road,
  shop: ShopServer,
  manifest: string,
  url: string,
) {
  await call('import_connector', { name: 'crash-shop', manifest, license: 'own' })
  await call('create_source', { name: 'shop', type: 'crash-shop', config: { url: shop.url } })
  await createDestination(call, to === 'postgres' ? { type: 'postgres', url } : { type: 'r2' })
  await call('create_connection', {
    ...{ name: 'crash', source: 'shop', destination: 'destination' },
    streams: [{ name: 'orders', ...modes }],
    // Some six slices, of some chunks each.
    limits: { sliceRows: 30, chunkBytes: 500 },
  })
}

async function contentsOfTable(url: string): Promise<Contents> {
  const client = new Client(url)
  await client.connect()
  try {
    const { rows } = await client.query(questionOfOrders('public.orders'))
    return { rows: Number(rows[0].rows), md5: rows[0].md5 }
  } finally {
    await client.end()
  }
}
