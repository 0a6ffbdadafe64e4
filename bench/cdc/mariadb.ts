import { parseConfig } from '../../connectors/sources/mysql/config.ts'
import { createNodeContext } from '../../src/egress/node-context.ts'
import { connectMysql, type MysqlClient } from '../../src/runtime/mysql/client.ts'
import { startOwnMariadb } from '../../test/support/mariadb.ts'
import { serverFields } from '../../test/support/server-fields.ts'
import { callFor, MARIADB_CHANGES, mariadbOrders } from './changes.ts'
import { type Bench, type Figure, ROUNDS } from './figures.ts'
import { syncOften } from './sync.ts'

const REPLICA_ID = 77

/** The snapshot and the binlog of MariaDB, read alone and moved by syncs, beside a replica of it. */
export async function measureMariadb(bench: Bench, target: string): Promise<Figure[]> {
  const { reader, rows, changes } = bench
  const [server, replica] = [await startOwnMariadb(), await startOwnMariadb()]
  const [client, copy] = [await connect(server.url), await connect(replica.url)]
  try {
    for (const sql of mariadbOrders(rows)) await client.query(sql)
    await client.query(MARIADB_CHANGES)
    const followed = { replication_method: { method: 'CDC' } }
    const config = { ...serverFields(server.url), ssl_mode: { mode: 'disabled' }, ...followed }
    const job = { type: 'mysql', table: 'orders', config } as const
    const snapshot = { ...job, action: 'snapshot' } as const
    const figures = [await reader.measure('snapshot, into nothing', snapshot, ROUNDS)]
    const { place } = await reader.prepare(job)
    const begin = await endOf(client)
    const [first, applied] = await syncOften(bench, {
      ...{ name: 'mariadb', source: server.url, sourceConfig: followed, namespace: 'test', target },
      change: (round) => client.query(callFor(changes, rows, round)),
    })
    // The last ones wait for others that may come.
    const wanted = Math.floor(changes * 0.95)
    const decode = { ...job, action: 'decode', place, changes: wanted } as const
    figures.push(await reader.measure('changes, decoded', decode, ROUNDS), first, applied)
    figures.push(await replicate(copy, server.url, begin, await endOf(client), bench))
    return figures
  } finally {
    await client.close()
    await copy.close()
    await server.stop()
    await replica.stop()
  }
}

const connect = (url: string) =>
  connectMysql(
    createNodeContext(),
    parseConfig({ ...serverFields(url), ssl_mode: { mode: 'disabled' } }),
  )

interface Place {
  file: string
  pos: number
}

async function endOf(client: MysqlClient): Promise<Place> {
  const [[file, pos] = []] = await client.query('SHOW MASTER STATUS')
  return { file: String(file), pos: Number(pos) }
}

/** The server's own replica, with the table as it was, applies the same stretch of the log. */
async function replicate(
  replica: MysqlClient,
  source: string,
  begin: Place,
  end: Place,
  { rows, changes }: Bench,
): Promise<Figure> {
  const { hostname, port, username, password } = new URL(source)
  await replica.query('SET SESSION sql_log_bin = 0')
  for (const sql of mariadbOrders(rows)) await replica.query(sql)
  await replica.query(`SET GLOBAL server_id = ${REPLICA_ID}`)
  await replica.query(
    `CHANGE MASTER TO MASTER_HOST = '${hostname}', MASTER_PORT = ${port}, MASTER_USER = '${username}',
     MASTER_PASSWORD = '${password}', MASTER_LOG_FILE = '${begin.file}', MASTER_LOG_POS = ${begin.pos}`,
  )
  const began = performance.now()
  await replica.query('START SLAVE')
  const [[passed] = []] = await replica.query(
    `SELECT MASTER_POS_WAIT('${end.file}', ${end.pos}, 900)`,
  )
  const seconds = (performance.now() - began) / 1000
  const name = 'a native replica'
  if (passed === null)
    return { name, rows: ROUNDS * changes, seconds: Number.NaN, note: 'it stopped' }
  return { name, rows: ROUNDS * changes, seconds }
}
