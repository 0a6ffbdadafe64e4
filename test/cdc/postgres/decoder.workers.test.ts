import { connect } from 'cloudflare:sockets'
import { env } from 'cloudflare:workers'
import type { Buffer } from 'node:buffer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type CdcPosition,
  dropSlot,
  ensureSlot,
  freezeBound,
  openChangeFeed,
} from '../../../src/cdc/postgres/index.ts'
import { PgOutputDecoder } from '../../../src/cdc/postgres/pgoutput/decoder.ts'
import { openReplication } from '../../../src/cdc/postgres/protocol/replication-stream.ts'
import { createEgress } from '../../../src/egress/index.ts'
import { workerdEgressHost } from '../../../src/egress/workerd-host.ts'
import type { ConnectorContext } from '../../../src/runtime/contract.ts'
import { closePostgres, connectPostgres } from '../../../src/runtime/postgres/client.ts'
import type { PostgresConfig } from '../../../src/runtime/postgres/config.ts'
import { serverFields } from '../../support/server-fields.ts'

const config: PostgresConfig = {
  ...serverFields((env as unknown as { PG_URL: string }).PG_URL),
  ssl_mode: { mode: 'prefer' },
}
const signal = new AbortController().signal
const ctx: ConnectorContext = {
  ...createEgress(
    workerdEgressHost({ connect: connect as never, resolver: async (host) => [host] }),
    { allowPrivate: true },
    signal,
  ),
  log: () => {},
  now: () => Date.now(),
  signal,
  budget: { deadline: Infinity, exhausted: () => false },
}

const SLOT = 'cdc_workers'
const EVENTS = 120_000

let client: Awaited<ReturnType<typeof connectPostgres>>
let position: CdcPosition
let bound: bigint
beforeAll(async () => {
  client = await connectPostgres(ctx, config)
  await client.query(
    `CREATE TABLE ${SLOT} (id bigint PRIMARY KEY, name text, amount numeric(12,2), flag boolean, at timestamptz, filler text)`,
  )
  await client.query(`CREATE PUBLICATION ${SLOT} FOR TABLE ${SLOT}`)
  position = (await ensureSlot(client, SLOT)).position
  await client.query(
    `INSERT INTO ${SLOT} SELECT n, 'name ' || n, n / 8.0, n % 2 = 0, now() + n * interval '1 s', repeat('x', 80)
     FROM generate_series(1, ${EVENTS / 2}) n`,
  )
  await client.query(`UPDATE ${SLOT} SET amount = amount + 1`)
  bound = await freezeBound(client)
})
afterAll(async () => {
  await dropSlot(client, SLOT)
  await client.query(`DROP PUBLICATION ${SLOT}; DROP TABLE ${SLOT}`)
  await closePostgres(client)
})

const options = {
  slot: SLOT,
  publications: [SLOT],
  applicationName: 'airbyte cdc workers',
  describe: (_: unknown, columns: import('../../../src/protocol/index.ts').Column[]) => ({
    stream: SLOT,
    columns,
    key: ['id'],
  }),
}

/** workerd's clock stands still while nothing is waited for. */
async function clock() {
  await new Promise((resolve) => setTimeout(resolve, 1))
  return Date.now()
}

describe('the log in workerd', () => {
  it('is read to its bound', async () => {
    let rows = 0
    const started = await clock()
    for await (const event of await openChangeFeed(ctx, config, { ...options, position, bound })) {
      if (event.type === 'changes') rows += event.batch.length
    }
    console.log(`read and decoded: ${perSecond(rows, (await clock()) - started)} events/s`)
    expect(rows).toBe(EVENTS)
  })

  it('is decoded at 80,000 events a second and more', async () => {
    const stream = await openReplication(ctx, config, { ...options, start: position.confirmed })
    const messages: Buffer[] = []
    while (stream.received < bound || !stream.idle) {
      const bytes = await stream.next(1000)
      if (bytes) messages.push(bytes)
      else stream.ask()
    }
    await stream.close()
    const decoder = new PgOutputDecoder({ ...options, position, bound, now: ctx.now })
    let rows = 0
    const started = await clock()
    for (const bytes of messages) {
      decoder.decode(bytes)
      for (const event of decoder.take()) if (event.type === 'changes') rows += event.batch.length
    }
    const took = (await clock()) - started
    console.log(
      `decoded: ${perSecond(rows, took)} events/s, ${((took * 1000) / rows).toFixed(2)} µs each`,
    )
    expect(rows).toBe(EVENTS)
    expect(rows / (took / 1000)).toBeGreaterThan(80_000)
  })
})

const perSecond = (rows: number, ms: number) => Math.round(rows / (ms / 1000)).toLocaleString('en')
