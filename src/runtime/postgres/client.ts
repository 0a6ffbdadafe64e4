import { Buffer } from 'node:buffer'
import pg from 'pg'
import { AirbyteError } from '../../protocol/index.ts'
import type { ConnectorContext, ConnectorSocket } from '../contract.ts'
import type { PostgresConfig, SslModeName } from './config.ts'
import { mapPostgresError } from './errors.ts'
import { keep, leave, socketOf, takeKept } from './keep.ts'
import { requestTls } from './tls.ts'

export interface ConnectOptions {
  /** What `pg_stat_activity` shows; default `airbyte`. */
  applicationName?: string
  /** Session settings on top of the defaults, such as `{ default_transaction_read_only: 'on' }`. */
  session?: Record<string, string>
  /** Settings that not every version or platform has. */
  sessionIfKnown?: Record<string, string>
  /** `database`: a walsender that takes replication commands as well as simple queries. */
  replication?: 'database'
}

/**
 * Every value leaves and enters as text that any PostgreSQL reads back to the same value:
 * ISO dates, UTC, shortest exact floats (3, since servers before 12 take the number literally),
 * ISO 8601 intervals, hex bytea. The timeouts bound how long a vanished client can hold locks.
 */
const SESSION: Record<string, string> = {
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'iso_8601',
  TimeZone: 'UTC',
  extra_float_digits: '3',
  bytea_output: 'hex',
  standard_conforming_strings: 'on',
  statement_timeout: '0',
  lock_timeout: '60s',
  idle_in_transaction_session_timeout: '5min',
}

/** From PostgreSQL 14 on Linux: a long query ends soon after its client is gone. */
const IF_KNOWN: Record<string, string> = { client_connection_check_interval: '10s' }

/** How each SSL mode connects, attempt by attempt; the next is tried only if the server refuses this kind. */
const ATTEMPTS: Record<SslModeName, ('plain' | 'tls' | 'tls-if-offered')[]> = {
  disable: ['plain'],
  allow: ['plain', 'tls'],
  prefer: ['tls-if-offered', 'plain'],
  require: ['tls'],
  'verify-ca': ['tls'],
  'verify-full': ['tls'],
}

/**
 * Opens a connection through the egress policy and sets the session. All result values are text.
 * The caller ends it with `closePostgres`, which leaves it in `ctx.kept` where there is that: then the
 * next who wants such a connection gets it. An abort of `ctx.signal` cuts it.
 *
 * Rejects with AUTH_FAILED, PERMISSION_DENIED, HOST_UNREACHABLE, TLS_FAILED, EGRESS_REFUSED, TIMEOUT,
 * CONNECTION_LOST or VALIDATION_FAILED; no message ever holds the password.
 *
 * @example
 * const client = await connectPostgres(ctx, config, { applicationName: 'airbyte source' })
 * try {
 *   const { rows } = await client.query('SELECT 1 AS one') // [{ one: '1' }]
 * } finally {
 *   await closePostgres(client)
 * }
 */
export async function connectPostgres(
  ctx: ConnectorContext,
  config: PostgresConfig,
  options: ConnectOptions = {},
): Promise<pg.Client> {
  refuseUnsupported(config)
  const attempts = ATTEMPTS[config.ssl_mode?.mode ?? 'prefer']
  if (!attempts) {
    throw new AirbyteError('VALIDATION_FAILED', 'The SSL mode is not one PostgreSQL knows.', {
      field: 'config.ssl_mode.mode',
      didYouMean: Object.keys(ATTEMPTS),
    })
  }
  // A walsender is no session for others.
  const key = options.replication ? undefined : JSON.stringify([config, options])
  const found = ctx.kept && key && (await takeKept(ctx.kept, key))
  if (found) return found
  for (const [index, kind] of attempts.entries()) {
    try {
      const { client, settings } = await attempt(ctx, config, kind, options)
      if (ctx.kept && key) keep(client, { kept: ctx.kept, key, settings, end })
      return client
    } catch (error) {
      const refusedThisKind = isHbaRefusal(error) && index + 1 < attempts.length
      if (!refusedThisKind) throw mapPostgresError(error, config)
    }
  }
  throw new Error('unreachable: the last attempt returns or throws')
}

/** Ends a connection, or leaves it to the next (see `connectPostgres`). Never rejects. */
export async function closePostgres(client: pg.Client): Promise<void> {
  if (!leave(client)) await end(client)
}

/**
 * Says goodbye; what still runs is cancelled first. A server that is blocked on a full network buffer
 * sees neither a cancel nor, on some platforms, a cut socket, until its bytes are taken: so a COPY that
 * was left (`copyOut`) is drained meanwhile. Takes two seconds at most, then cuts. Never rejects.
 */
async function end(client: pg.Client): Promise<void> {
  const stream = socketOf(client)
  if (stream.destroyed) return
  const timer = setTimeout(() => stream.destroy(), CLOSE_MS)
  if (!(client as unknown as { readyForQuery?: boolean }).readyForQuery) {
    const idle = new Promise((resolve) => client.once('drain', resolve).once('end', resolve))
    await CANCEL.get(client)?.().catch(() => {})
    await idle
  }
  await client.end().catch(() => {})
  clearTimeout(timer)
  stream.destroy()
}

const CLOSE_MS = 2_000

/** How to cancel what a client runs: on a connection of its own, as the protocol wants it. */
const CANCEL = new WeakMap<pg.Client, () => Promise<void>>()

async function attempt(
  ctx: ConnectorContext,
  config: PostgresConfig,
  kind: 'plain' | 'tls' | 'tls-if-offered',
  options: ConnectOptions,
): Promise<{ client: pg.Client; settings: string[] }> {
  const open = async () => {
    const plain = await ctx.connect({ host: config.host, port: config.port ?? 5432 })
    return kind === 'plain' ? plain : await requestTls(plain, config, kind === 'tls')
  }
  const socket = await open()
  const client = new pg.Client({
    // A function: pg would take a password from the environment in place of an empty one.
    password: () => config.password ?? '',
    user: config.username,
    database: config.database,
    host: config.host,
    port: config.port ?? 5432,
    application_name: options.applicationName ?? 'airbyte',
    ssl: false,
    stream: () => alreadyConnected(socket),
    types: { getTypeParser: () => (value: string) => value },
    ...(options.replication ? { replication: options.replication } : {}),
  })
  // Queries reject by themselves; without a listener the event would end the process.
  client.on('error', () => {})
  const cut = () => socket.destroy(new AirbyteError('CANCELLED', 'The operation was cancelled.'))
  ctx.signal.addEventListener('abort', cut)
  client.once('end', () => ctx.signal.removeEventListener('abort', cut))
  try {
    await client.connect()
    const settings = sessionSql({ ...SESSION, ...options.session })
    await client.query(settings.join('; '))
    settings.push(...(await setIfKnown(client, { ...IF_KNOWN, ...options.sessionIfKnown })))
    CANCEL.set(client, async () => sendCancel(await open(), client))
    return { client, settings }
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS */
async function sendCancel(socket: ConnectorSocket, client: pg.Client) {
  const { processID, secretKey } = client as unknown as Record<'processID' | 'secretKey', number>
  const request = Buffer.alloc(16)
  request.writeInt32BE(16, 0)
  request.writeInt32BE(80877102, 4)
  request.writeInt32BE(processID, 8)
  request.writeInt32BE(secretKey, 12)
  // The server answers by closing.
  const closed = new Promise((resolve) => socket.once('close', resolve).once('error', resolve))
  const timer = setTimeout(() => socket.destroy(), CLOSE_MS)
  socket.resume()
  socket.end(request)
  await closed
  clearTimeout(timer)
}

/** pg calls `connect` on its stream and waits for the event; ours is connected, perhaps encrypted. */
function alreadyConnected(socket: ConnectorSocket) {
  return Object.assign(socket, {
    connect() {
      queueMicrotask(() => socket.emit('connect'))
      return socket
    },
  })
}

const sessionSql = (settings: Record<string, string>) => [
  ...Object.entries(settings).map(
    ([name, value]) => `SET ${name} = ${name === 'DateStyle' ? value : pg.escapeLiteral(value)}`,
  ),
  ENCODING_SQL,
]

/**
 * A database without an encoding gives its bytes as they are: as UTF8 it would refuse the whole read for
 * one text that is none, instead of leaving that text to us.
 */
const ENCODING_SQL = `SELECT set_config('client_encoding',
  CASE current_setting('server_encoding') WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END, false)`

/** The statements of those that could be set. */
async function setIfKnown(client: pg.Client, settings: Record<string, string>): Promise<string[]> {
  const set: string[] = []
  for (const [name, value] of Object.entries(settings)) {
    const [setting, to] = [pg.escapeLiteral(name), pg.escapeLiteral(value)]
    const sql = `SELECT set_config(${setting}, ${to}, false)
      WHERE current_setting(${setting}, true) IS NOT NULL`
    const done = await client.query(sql).catch(() => null)
    if (done) set.push(sql)
  }
  return set
}

/** 28000: pg_hba.conf has no entry for this host, user, database and encryption. */
const isHbaRefusal = (error: unknown) => (error as { code?: unknown }).code === '28000'

function refuseUnsupported(config: PostgresConfig) {
  const tunnel = config.tunnel_method?.tunnel_method ?? 'NO_TUNNEL'
  if (tunnel !== 'NO_TUNNEL') {
    throw new AirbyteError('UNSUPPORTED', 'SSH tunnels are not supported.', {
      field: 'config.tunnel_method',
      hint: 'Choose NO_TUNNEL and make the database reachable with TLS.',
    })
  }
  if (config.ssl_mode?.client_certificate || config.ssl_mode?.client_key) {
    throw new AirbyteError('UNSUPPORTED', 'TLS client certificates are not supported.', {
      field: 'config.ssl_mode.client_certificate',
      hint: 'Leave client_certificate and client_key out and sign in with a password.',
    })
  }
}
