import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { RunningPostgres } from '../../scripts/lib/embedded-postgres.ts'
import { serverFields } from '../../test/support/server-fields.ts'
import { fillOrders } from '../dataset.ts'
import { callFor, POSTGRES_CHANGES } from './changes.ts'
import { type Bench, type Figure, ROUNDS } from './figures.ts'
import { syncOften } from './sync.ts'

const RECVLOGICAL = 'peer_recvlogical'
const SUBSCRIPTION = 'peer_subscription'

/** The snapshot and the log of PostgreSQL, read alone and moved by syncs, beside its own tools. */
export async function measurePostgres(
  bench: Bench,
  servers: { source: RunningPostgres; other: RunningPostgres },
): Promise<Figure[]> {
  const { reader, rows, changes } = bench
  const source = await servers.source.createDatabase('source')
  const client = await connected(source)
  await fillOrders(client, rows)
  await client.query(POSTGRES_CHANGES)
  const followed = { schemas: ['public'], replication_method: { method: 'CDC' } }
  const config = { ...serverFields(source), ssl_mode: { mode: 'disable' }, ...followed }
  const job = { type: 'postgres', table: 'orders', config } as const
  const figures = [
    await reader.measure('snapshot, into nothing', { ...job, action: 'snapshot' }, ROUNDS),
  ]
  const { place } = await reader.prepare(job)
  await client.query('CREATE PUBLICATION peers FOR TABLE orders')
  await client.query(`SELECT pg_create_logical_replication_slot('${RECVLOGICAL}', 'pgoutput')`)
  const subscription = await subscribe(servers.other, source, rows)
  const [first, applied] = await syncOften(bench, {
    ...{ name: 'postgres', source, sourceConfig: followed, namespace: 'public' },
    target: await servers.other.createDatabase('target'),
    change: (round) => client.query(callFor(changes, rows, round)),
  })
  const wanted = Math.floor(changes * 0.99)
  for (const [name, action] of [
    ['changes, decoded', 'decode'],
    ['changes, decoded and made segments of', 'stage'],
  ] as const) {
    figures.push(await reader.measure(name, { ...job, action, place, changes: wanted }, ROUNDS))
  }
  const end = (await client.query('SELECT pg_current_wal_flush_lsn() AS lsn')).rows[0].lsn
  const all = ROUNDS * changes
  figures.push(first, applied, receiveLogical(source, end, all))
  figures.push(await subscription.apply(client, end, all))
  await subscription.drop()
  await client.end()
  return figures
}

/** Of a bench that fails its error is told, not that its servers were stopped. */
async function connected(url: string): Promise<Client> {
  const client = new Client(url)
  client.on('error', () => {})
  await client.connect()
  return client
}

/** PostgreSQL's own reader of the log, which writes what it receives to nowhere. */
function receiveLogical(source: string, end: string, rows: number): Figure {
  const name = 'pg_recvlogical, the bytes alone'
  const options = ['-o', 'proto_version=2', '-o', 'publication_names=peers', '--no-loop', '--start']
  const began = performance.now()
  try {
    execFileSync(
      'pg_recvlogical',
      ['-d', source, '-S', RECVLOGICAL, '-f', '/dev/null', '-E', end, ...options],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
  } catch (error) {
    return { name, rows, seconds: Number.NaN, note: (error as Error).message.split('\n')[0] }
  }
  return { name, rows, seconds: (performance.now() - began) / 1000 }
}

/** A native subscription to the same table, which waits until it is told to apply. */
async function subscribe(server: RunningPostgres, source: string, rows: number) {
  const client = await connected(await server.createDatabase('subscriber'))
  await fillOrders(client, rows)
  await client.query(
    `CREATE SUBSCRIPTION ${SUBSCRIPTION} CONNECTION '${source}' PUBLICATION peers
     WITH (copy_data = false, enabled = false, create_slot = true, connect = true)`,
  )
  return {
    async apply(there: Client, end: string, rows: number): Promise<Figure> {
      const began = performance.now()
      await client.query(`ALTER SUBSCRIPTION ${SUBSCRIPTION} ENABLE`)
      const applied = async () =>
        (
          await there.query(
            `SELECT confirmed_flush_lsn >= $1::pg_lsn AS done FROM pg_replication_slots WHERE slot_name = $2`,
            [end, SUBSCRIPTION],
          )
        ).rows[0]?.done
      while (!(await applied())) await sleep(50)
      return { name: 'a native subscription', rows, seconds: (performance.now() - began) / 1000 }
    },
    async drop() {
      await client.query(`DROP SUBSCRIPTION ${SUBSCRIPTION}`)
      await client.end()
    },
  }
}
