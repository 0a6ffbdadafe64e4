import { Buffer } from 'node:buffer'
import { AirbyteError } from '../../protocol/index.ts'
import type { ConnectorContext, ConnectorSocket } from '../contract.ts'
import { DEFAULT_PORT, type MysqlConfig } from './config.ts'
import { mapMysqlError } from './errors.ts'
import { type Session, shakeHands } from './handshake.ts'
import { answerOf, LocalRows, type Outcome, outcomeOf } from './local-rows.ts'
import type { PacketReader } from './packet-reader.ts'
import { fieldText, type RowBlock, rowBlocks } from './rows.ts'
import { framed, type PacketCursor } from './wire.ts'

const ASKS_FOR_FILE = 0xfb
const COMMAND = { quit: 0x01, query: 0x03 }
const SSL_MODES = ['disabled', 'preferred', 'required', 'verify_ca', 'verify_identity']

/**
 * Texts are UTF-8, times are UTC, quotes are doubled and nothing else is escaped. No result ends early
 * because the server is set so (`sql_select_limit`), and nothing is a part of a transaction that was not
 * begun here. The server waits an
 * hour for a reader that applies back-pressure, and never longer than that for one that is gone.
 */
const SESSION = [
  'SET NAMES utf8mb4',
  "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES', time_zone = '+00:00', net_write_timeout = 3600, lock_wait_timeout = 60, sql_select_limit = 18446744073709551615, autocommit = 1, completion_type = 0",
]

/** One session. Statements run one after the other. */
export class MysqlClient {
  readonly version: string
  readonly mariadb: boolean
  readonly socket: ConnectorSocket
  readonly reader: PacketReader
  /** A result that was not read to its end: the connection is good for nothing else. */
  #unread = false

  readonly #thread: number
  /** Opens another session of the same user at the same server; the caller closes it. */
  readonly another: () => Promise<MysqlClient>

  constructor(session: Session, another: () => Promise<MysqlClient>) {
    this.socket = session.socket
    this.reader = session.reader
    this.version = session.version
    this.mariadb = /mariadb/i.test(session.version)
    this.#thread = session.thread
    this.another = another
  }

  /** A statement with a small result, as texts. */
  async query(sql: string): Promise<(string | null)[][]> {
    const found: (string | null)[][] = []
    for await (const block of this.rows(sql)) {
      for (let row = 0; row < block.rows; row++) {
        found.push(Array.from({ length: block.width }, (_, field) => fieldText(block, row, field)))
      }
    }
    return found
  }

  /** A statement without a result. */
  async execute(sql: string): Promise<Outcome> {
    return outcomeOf(await this.command(COMMAND.query, Buffer.from(sql)))
  }

  /**
   * Sends a LOAD DATA LOCAL: the server asks for its rows, which are those that are written then. Rejects
   * with what the server says where it does not ask.
   */
  async load(sql: string): Promise<LocalRows> {
    const asked = await this.command(COMMAND.query, Buffer.from(sql))
    if (asked.bytes[asked.at] === ASKS_FOR_FILE) return new LocalRows(this.socket, this.reader)
    throw new AirbyteError('INTERNAL', 'The server asks for no rows.')
  }

  /** The rows of a statement as they come. Leaving the loop early ends the connection's use. */
  async *rows(sql: string): AsyncGenerator<RowBlock> {
    const first = await this.command(COMMAND.query, Buffer.from(sql))
    const kind = first.bytes[first.at]
    if (kind === 0x00) return
    if (kind === ASKS_FOR_FILE)
      throw new AirbyteError('INTERNAL', 'The server asks for a local file.')
    const width = first.length() ?? 0
    this.#unread = true
    // Definitions of the columns and an end: what they are is known from the catalog.
    for (let skip = 0; skip <= width; skip++) await this.reader.next()
    try {
      yield* rowBlocks(this.reader, width)
      this.#unread = false
    } catch (error) {
      this.#unread = this.socket.destroyed
      throw error
    }
  }

  /** Sends a command and takes the first packet of its answer. Rejects with what the server says. */
  async command(code: number, payload: Buffer): Promise<PacketCursor> {
    if (this.#unread) throw new AirbyteError('INTERNAL', 'A result was not read to its end.')
    this.send(code, payload)
    return answerOf(this.reader)
  }

  /** Sends a command whose answer has no end: the caller takes its packets off `reader`. */
  follow(code: number, payload: Buffer): void {
    this.send(code, payload)
    this.#unread = true
  }

  /** Sends a command that has no answer, or one that is read elsewhere. */
  send(code: number, payload: Buffer): void {
    this.socket.write(framed(Buffer.concat([Buffer.of(code), payload]), 0))
  }

  /**
   * Says goodbye; what still runs is ended first, from a connection of its own. A server that is
   * blocked on a full network buffer does not see, on some platforms, that a socket was cut, until its
   * bytes are taken: so the rest is thrown away meanwhile. Takes two seconds at most. Never rejects.
   */
  async close(): Promise<void> {
    const { socket } = this
    if (socket.destroyed) return
    const timer = setTimeout(() => socket.destroy(), CLOSE_MS)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    if (this.#unread) await this.#kill().catch(() => socket.destroy())
    else this.send(COMMAND.quit, Buffer.alloc(0))
    socket.resume()
    await closed
    clearTimeout(timer)
  }

  async #kill(): Promise<void> {
    this.socket.resume()
    const other = await this.another()
    await other.query(`KILL ${this.#thread}`).finally(() => other.close())
  }
}

const CLOSE_MS = 2000

/**
 * Opens a session through the egress policy. The caller closes it; an abort of `ctx.signal` cuts it.
 * Rejects with AUTH_FAILED, PERMISSION_DENIED, HOST_UNREACHABLE, TLS_FAILED, EGRESS_REFUSED, TIMEOUT,
 * CONNECTION_LOST or VALIDATION_FAILED; no message ever holds the password.
 *
 * @param localFiles for `load`; else the server may ask for no rows
 * @example
 * const client = await connectMysql(ctx, config)
 * await client.query('SELECT 1') // [['1']]
 * await client.close()
 */
export async function connectMysql(
  ctx: ConnectorContext,
  config: MysqlConfig,
  settings: string[] = [],
  localFiles = false,
): Promise<MysqlClient> {
  refuseUnsupported(config)
  const plain = await ctx.connect({ host: config.host, port: config.port ?? DEFAULT_PORT })
  let open = plain
  const cut = () => void open.destroy(new AirbyteError('CANCELLED', 'The operation was cancelled.'))
  ctx.signal.addEventListener('abort', cut)
  const timer = setTimeout(() => open.destroy(silent(config)), HANDSHAKE_MS)
  try {
    const session = await shakeHands(plain, config, localFiles)
    open = session.socket
    open.once('close', () => ctx.signal.removeEventListener('abort', cut))
    const client = new MysqlClient(session, () => connectMysql(ctx, config))
    for (const statement of [...SESSION, ...settings]) await client.query(statement)
    return client
  } catch (error) {
    open.destroy()
    ctx.signal.removeEventListener('abort', cut)
    throw mapMysqlError(error, config)
  } finally {
    clearTimeout(timer)
  }
}

const HANDSHAKE_MS = 10_000

const silent = ({ host, port }: MysqlConfig) =>
  new AirbyteError('TIMEOUT', `What listens at ${host}:${port} does not greet as MySQL does.`, {
    hint: 'Check host and port.',
  })

function refuseUnsupported({ ssl_mode: ssl, tunnel_method: tunnel }: MysqlConfig): void {
  if (tunnel && tunnel.tunnel_method !== 'NO_TUNNEL') {
    throw new AirbyteError('UNSUPPORTED', 'SSH tunnels are not supported.', {
      field: 'config.tunnel_method',
      hint: 'Make the database reachable, for example through a Cloudflare Tunnel.',
    })
  }
  if (ssl && !SSL_MODES.includes(ssl.mode)) {
    throw new AirbyteError('VALIDATION_FAILED', 'The SSL mode is not one MySQL knows.', {
      field: 'config.ssl_mode.mode',
      didYouMean: SSL_MODES,
    })
  }
  if (ssl?.client_certificate || ssl?.client_key) {
    throw new AirbyteError('UNSUPPORTED', 'Client certificates are not supported.', {
      field: 'config.ssl_mode.client_certificate',
      hint: 'Leave the client certificate out and sign in by password.',
    })
  }
}
