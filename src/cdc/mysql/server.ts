import { AirbyteError } from '../../protocol/index.ts'
import type { MysqlClient } from '../../runtime/mysql/client.ts'
import { MysqlServerError } from '../../runtime/mysql/errors.ts'
import { text } from '../../runtime/mysql/sql.ts'
import { type BinlogPosition, hasPassed } from './position.ts'
import { type PreparedXa, xidOfList } from './xa.ts'

/** A place in the log. */
export interface LogPoint {
  file: string
  pos: number
  /** The same by global transaction ids, where the server says both at once. */
  gtid?: string
}

const setUp = (message: string, hint: string) =>
  new AirbyteError('CDC_SETUP_REQUIRED', message, { field: 'config.replication_method', hint })

/** What a server has to be set to, and what that is for. */
const SETTINGS = [
  { name: 'binlog_format', value: 'ROW', why: 'statements do not tell which rows they change' },
  { name: 'binlog_row_image', value: 'FULL', why: 'a change would lack columns' },
  { name: 'binlog_row_metadata', value: 'FULL', why: 'the log would not name its columns' },
]

/** What newer versions of MySQL can be set to besides. */
const NEWER_SETTINGS = [
  {
    name: 'binlog_row_value_options',
    value: '',
    why: 'a change would have parts of its JSON only',
  },
  { name: 'binlog_transaction_compression', value: 'OFF', why: 'compressed changes are not read' },
]

/** Whether the server writes a binlog at all. */
export async function hasLog(client: MysqlClient): Promise<boolean> {
  const [[on] = []] = await client.query('SELECT @@global.log_bin')
  return on === '1'
}

/** Rejects with CDC_SETUP_REQUIRED and the statement that remedies it. */
export async function checkServer(client: MysqlClient): Promise<void> {
  const names = [...SETTINGS, ...NEWER_SETTINGS].map(({ name }) => `'${name}'`)
  const rows = await client.query(
    `SHOW GLOBAL VARIABLES
     WHERE Variable_name IN ('log_bin', ${RELAYS.map(text)}, ${names.join(', ')})`,
  )
  const settings = new Map(rows.map(([name, value]) => [name, String(value).toUpperCase()]))
  if (settings.get('log_bin') !== 'ON') {
    throw setUp(
      "The server's log_bin is OFF: it writes no binlog.",
      'Set log_bin and a server_id in the server’s configuration and restart it (Amazon RDS: turn automatic backups on).',
    )
  }
  const newer = NEWER_SETTINGS.filter(({ name }) => settings.has(name))
  for (const { name, value, why } of [...SETTINGS, ...newer]) {
    const is = settings.get(name)
    if (is === value) continue
    if (is === undefined) {
      throw setUp(
        `This server (${client.version}) has no setting ${name}: ${why}.`,
        'Changes are read from MySQL 8.0.1 and MariaDB 10.5 on. Read by a cursor instead.',
      )
    }
    throw setUp(
      `The server's ${name} is ${is}: ${why}.`,
      `Run SET GLOBAL ${name} = ${value || "''"}; and set it in the server's configuration. Sessions that are open keep what they had.`,
    )
  }
  if (RELAYS.some((name) => settings.get(name) === 'OFF') && (await isReplica(client))) {
    throw setUp(
      'The server is a replica, or one of a cluster, and its log_slave_updates is OFF: what others tell it is not in its binlog.',
      `Set ${client.mariadb ? 'log_slave_updates' : 'log_replica_updates'} = ON in the server’s configuration and restart it, or read the primary.`,
    )
  }
  await checkGrants(client)
}

/** Whether a replica logs what it is told: its name, and that of MySQL from 8.0.26 on. */
const RELAYS = ['log_slave_updates', 'log_replica_updates']

/** Or a member of a Galera cluster (not tried: written from its documentation). */
async function isReplica(client: MysqlClient): Promise<boolean> {
  // A cluster of one is none.
  const rows = await client.query(
    "SHOW GLOBAL STATUS WHERE Variable_name = 'Slaves_running' AND Value > 0 OR Variable_name = 'wsrep_cluster_size' AND Value > 1",
  )
  if (rows.length > 0 || client.mariadb) return rows.length > 0
  // Who may not ask is not told; MySQL logs what it is told unless it is set not to.
  return (await client.query('SHOW REPLICA STATUS').catch(() => [])).length > 0
}

/** Of these databases those whose changes the server is set not to log, with the setting. */
export async function unloggedSchemas(
  client: Asked,
  schemas: Iterable<string>,
): Promise<Map<string, string>> {
  const [[, , only, ignored] = []] = await status(client)
  const listed = (list: string | null | undefined) => (list ? list.split(',') : [])
  const [wanted, unwanted] = [listed(only), listed(ignored)]
  const settingOf = (schema: string) => {
    if (wanted.length > 0 && !wanted.includes(schema)) return 'binlog_do_db'
    return unwanted.includes(schema) ? 'binlog_ignore_db' : undefined
  }
  return new Map(
    [...schemas].flatMap((schema) => {
      const setting = settingOf(schema)
      return setting ? [[schema, setting] as const] : []
    }),
  )
}

async function checkGrants(client: MysqlClient): Promise<void> {
  const grants = (await client.query('SHOW GRANTS')).map(([grant]) => String(grant))
  // What a role may is not listed; then the server will say.
  if (grants.some((grant) => /^GRANT `/.test(grant))) return
  // The right to administer replicas is another.
  const mayRead = grants.some((grant) =>
    /\b(ALL PRIVILEGES|REPLICATION SLAVE(?! ADMIN))\b.* ON \*\.\*/i.test(grant),
  )
  if (!mayRead) throw missingRight(client, 'read the binlog')
  await endOfLog(client)
  if (!client.mariadb) await hasWriters(client, '1970-01-01')
}

type Asked = Pick<MysqlClient, 'mariadb' | 'query'>

export function missingRight({ mariadb }: Asked, what: string): AirbyteError {
  const rights = mariadb
    ? 'REPLICATION SLAVE, BINLOG MONITOR'
    : 'REPLICATION SLAVE, REPLICATION CLIENT, PROCESS'
  return setUp(
    `The user may not ${what}.`,
    `Run GRANT ${rights} ON *.* TO the user, as an administrator.`,
  )
}

const UNKNOWN_STATEMENT = 1064
export const DENIED = 1227

/** The end of the log: everything that a query sees by now is before it. */
export async function endOfLog(client: Asked): Promise<LogPoint> {
  const [[file, pos] = []] = await status(client)
  if (!file) throw setUp('The server writes no binlog.', 'Start the server with log_bin.')
  return { file, pos: Number(pos) }
}

/** What it was called before MySQL 8.2. */
const OLD_STATUS = 'SHOW MASTER STATUS'

async function status(
  client: Asked,
  statement = client.mariadb ? OLD_STATUS : 'SHOW BINARY LOG STATUS',
): Promise<(string | null)[][]> {
  try {
    return await client.query(statement)
  } catch (error) {
    if (!(error instanceof MysqlServerError)) throw error
    if (error.errno === DENIED) throw missingRight(client, 'ask where the binlog ends')
    if (error.errno !== UNKNOWN_STATEMENT || statement === OLD_STATUS) throw error
    return status(client, OLD_STATUS)
  }
}

const POLL_MS = 200

/**
 * A place before which every transaction can be seen by whoever asks from now on, and none is prepared
 * that may yet count. The end of the log is no such place: a transaction stands in it before its rows can
 * be seen, for as long as its commit takes (for ever, while it waits for a replica).
 *
 * @param kept a position that is known: the place has to be there or later, and what it knows to be
 *   prepared may stay so
 */
export async function settledPoint(
  client: MysqlClient,
  waitMs: number,
  kept?: BinlogPosition,
): Promise<LogPoint> {
  const until = Date.now() + waitMs
  if (!client.mariadb) return settledMysql(client, until)
  for (;;) {
    const point = await snapshotPoint(client)
    if (!kept || hasPassed({ ...NOWHERE, ...point }, afterAll(kept))) {
      await preparedEnd(client, until, kept?.prepared ?? [])
      return point
    }
    await waitTo(until)
  }
}

/** Beyond the transaction that was read in part, if there is one: its first rows will not come again. */
const afterAll = ({ file, pos, events }: BinlogPosition) => ({
  file,
  pos: events > 0 ? pos + 1 : pos,
})

const NOWHERE: BinlogPosition = { file: '', pos: 0, gtid: '', events: 0, base: 0 }

/** MariaDB knows the place of a snapshot. https://mariadb.com/kb/en/enhancements-for-start-transaction-with-consistent-snapshot/ */
async function snapshotPoint(client: MysqlClient): Promise<LogPoint> {
  await client.query('START TRANSACTION WITH CONSISTENT SNAPSHOT')
  const rows = await client.query("SHOW STATUS LIKE 'binlog_snapshot_%'")
  await client.query('ROLLBACK')
  const values = new Map(rows.map(([name, value]) => [name?.toLowerCase(), value]))
  const file = values.get('binlog_snapshot_file')
  if (!file) return endOfLog(client)
  return { file, pos: Number(values.get('binlog_snapshot_position')) }
}

/**
 * How long the log may have a prepared transaction before MariaDB lists it, where the user may not see
 * what others do: it is being written to disk.
 */
const PREPARING_MS = 1000

/** Waits for all transactions that are prepared by now, but for those that are known. */
async function preparedEnd(
  client: MysqlClient,
  until: number,
  known: readonly PreparedXa[],
): Promise<void> {
  const list = async () => {
    const listed = await client.query("XA RECOVER FORMAT = 'SQL'")
    const xids = listed.map(([format = null, , , printed = null]) => xidOfList(format, printed))
    return xids.filter((xid) => !known.some((one) => one.xid === xid))
  }
  const waiting = new Set(await list())
  const [[, prepares] = []] = await client.query("SHOW GLOBAL STATUS LIKE 'Com_xa_prepare'")
  if (prepares !== '0') {
    await preparingEnd(client, until)
    for (const xid of await list()) waiting.add(xid)
  }
  while (waiting.size > 0) {
    const still = new Set(await list())
    for (const xid of waiting) if (!still.has(xid)) waiting.delete(xid)
    if (waiting.size > 0) await waitTo(until)
  }
}

/** Waits for all transactions that are being prepared by now: then they are listed. */
async function preparingEnd(client: MysqlClient, until: number): Promise<void> {
  await pause(LISTED_MS)
  const waiting = await preparing(client)
  if (!waiting) await pause(PREPARING_MS)
  while (waiting && waiting.size > 0) {
    const still = await preparing(client)
    for (const one of waiting) if (!still?.has(one)) waiting.delete(one)
    if (waiting.size > 0) await waitTo(until)
  }
}

/** Undefined where the user may not ask: it takes the right PROCESS. */
async function preparing(client: MysqlClient): Promise<Set<string> | undefined> {
  try {
    const rows = await client.query(
      "SELECT trx_id FROM information_schema.INNODB_TRX WHERE trx_query LIKE '%XA%PREPARE%' AND trx_mysql_thread_id <> CONNECTION_ID()",
    )
    return new Set(rows.map(([id]) => String(id)))
  } catch (error) {
    if (error instanceof MysqlServerError && error.errno === DENIED) return undefined
    throw error
  }
}

/**
 * MySQL: the end of the log, once every transaction has ended that wrote before it was taken. With ids it
 * is told by a query that waits for whoever is committing, so it is asked when nobody should be.
 */
async function settledMysql(client: MysqlClient, until: number): Promise<LogPoint> {
  const point = await endOfLog(client)
  await writersEnd(client, until)
  const withIds = await logStatus(client)
  if (!withIds) return point
  await writersEnd(client, until)
  return withIds
}

/** The server's list of open transactions may be as old as the answer that somebody got 0.1 s before. */
const LISTED_MS = 150

/** Waits for all transactions that wrote by now. */
async function writersEnd(client: MysqlClient, until: number): Promise<void> {
  const [[now] = []] = await client.query('SELECT NOW(6)')
  await pause(LISTED_MS)
  while (await hasWriters(client, String(now))) await waitTo(until)
}

/** Whether transactions are open that wrote and began before. */
async function hasWriters(client: MysqlClient, before: string): Promise<boolean> {
  try {
    const [[open] = []] = await client.query(
      `SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_rows_modified > 0 AND trx_started <= '${before}'`,
    )
    return open !== '0'
  } catch (error) {
    if (!(error instanceof MysqlServerError) || error.errno !== DENIED) throw error
    throw missingRight(client, 'ask which transactions are open')
  }
}

/**
 * The end of the log with the ids of all that is in it, both of one moment. Undefined where the user may
 * not ask: it takes the right BACKUP_ADMIN.
 * @see https://dev.mysql.com/doc/refman/8.4/en/performance-schema-log-status-table.html
 */
async function logStatus(client: MysqlClient): Promise<LogPoint | undefined> {
  try {
    const [[text] = []] = await client.query('SELECT LOCAL FROM performance_schema.log_status')
    const status = JSON.parse(text ?? '{}') as Record<string, unknown>
    const { binary_log_file: file, binary_log_position: pos, gtid_executed: gtid } = status
    if (!file) return undefined
    return { file: String(file), pos: Number(pos), gtid: String(gtid).replaceAll(/\s/g, '') }
  } catch (error) {
    if (error instanceof MysqlServerError) return undefined
    throw error
  }
}

async function waitTo(until: number): Promise<void> {
  if (Date.now() > until) {
    throw new AirbyteError('TIMEOUT', 'Transactions stayed open while the log waited for them.', {
      hint: 'End the long transactions (XA RECOVER lists those that are prepared), or raise initial_waiting_seconds; it is tried again.',
    })
  }
  await pause(POLL_MS)
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** The place as global transaction ids, where the server has such; empty: it has none. */
export async function gtidOf(client: MysqlClient, { file, pos, gtid }: LogPoint): Promise<string> {
  if (!client.mariadb) return gtid ?? ''
  const [[found] = []] = await client.query(
    `SELECT BINLOG_GTID_POS('${file.replaceAll("'", '')}', ${pos})`,
  )
  return found ?? ''
}

export interface BinlogFile {
  name: string
  size: number
}

/** The files that the server still has, oldest first. */
export async function binlogFiles(client: MysqlClient): Promise<BinlogFile[]> {
  const rows = await client.query('SHOW BINARY LOGS')
  return rows.map(([name, size]) => ({ name: String(name), size: Number(size) }))
}

/** What tells one server from another that took its place. */
export async function serverIdentity(client: MysqlClient): Promise<string> {
  const [[identity] = []] = await client.query(
    client.mariadb
      ? "SELECT CONCAT(@@global.server_id, ' ', @@global.hostname, ' ', @@global.port)"
      : 'SELECT @@global.server_uuid',
  )
  return identity ?? ''
}
