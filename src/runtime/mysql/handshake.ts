/**
 * From a fresh socket to a session: greeting, TLS, authentication.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
 */
import { Buffer } from 'node:buffer'
import { AirbyteError } from '../../protocol/index.ts'
import type { ConnectorSocket, TlsOptions } from '../contract.ts'
import { answerTo, type Challenge, sealedPassword } from './authentication.ts'
import type { MysqlConfig } from './config.ts'
import { serverError } from './errors.ts'
import { PacketReader } from './packet-reader.ts'
import { framed, type PacketCursor } from './wire.ts'

const CAPABILITY = {
  longPassword: 0x1,
  longFlag: 0x4,
  connectWithDb: 0x8,
  localFiles: 0x80,
  protocol41: 0x200,
  ssl: 0x800,
  transactions: 0x2000,
  secureConnection: 0x8000,
  multiResults: 0x20000,
  pluginAuth: 0x80000,
  pluginAuthLength: 0x200000,
}
const CLIENT =
  CAPABILITY.longPassword |
  CAPABILITY.longFlag |
  CAPABILITY.connectWithDb |
  CAPABILITY.protocol41 |
  CAPABILITY.transactions |
  CAPABILITY.secureConnection |
  CAPABILITY.multiResults |
  CAPABILITY.pluginAuth |
  CAPABILITY.pluginAuthLength
const MAX_PACKET = 1 << 30
const UTF8MB4 = 45

export interface Session {
  socket: ConnectorSocket
  reader: PacketReader
  /** As the server prints it: `8.4.3`, `10.11.6-MariaDB`. */
  version: string
  /** The server's number for this connection. */
  thread: number
}

/**
 * Rejects with TLS_FAILED, AUTH_FAILED, or the server's own error.
 *
 * @param localFiles the server may ask for the rows of a LOAD DATA LOCAL
 */
export async function shakeHands(
  plain: ConnectorSocket,
  config: MysqlConfig,
  localFiles = false,
): Promise<Session> {
  const client = localFiles ? CLIENT | CAPABILITY.localFiles : CLIENT
  const reader = new PacketReader(plain)
  const greeting = parseGreeting(await reader.next(), config)
  const mode = config.ssl_mode?.mode ?? 'preferred'
  const offered = (greeting.capabilities & CAPABILITY.ssl) !== 0
  if (!offered && mode !== 'disabled' && mode !== 'preferred') {
    throw new AirbyteError('TLS_FAILED', `The server at ${config.host} does not offer TLS.`, {
      field: 'config.ssl_mode',
      hint: 'Turn TLS on at the server, or choose the SSL mode "preferred" or "disabled" knowingly.',
    })
  }
  const sequence = reader.sequence + 1
  if (!offered || mode === 'disabled') {
    return signIn(plain, reader, greeting, config, sequence, { client, secure: false })
  }
  // Sent before the socket changes hands.
  const request = framed(clientFlags(client | CAPABILITY.ssl), sequence)
  await new Promise<unknown>((sent) => plain.write(request, sent))
  const secure = await upgrade(plain, config)
  return signIn(secure, new PacketReader(secure), greeting, config, sequence + 1, {
    client: client | CAPABILITY.ssl,
    secure: true,
  })
}

interface Greeting extends Challenge {
  version: string
  thread: number
  capabilities: number
}

function parseGreeting(packet: PacketCursor, { host, port }: MysqlConfig): Greeting {
  const protocol = packet.uint(1)
  if (protocol === 0xff) throw serverError(packet)
  if (protocol !== 10) {
    const message = `What answers at ${host}:${port} does not speak MySQL's protocol.`
    throw new AirbyteError('VALIDATION_FAILED', message, { field: 'config.port' })
  }
  // Replication needs this prefix for old replicas; it is no part of the version.
  const version = packet.textToNul().replace(/^5\.5\.5-/, '')
  const thread = packet.uint(4)
  const first = packet.take(8)
  packet.at += 1
  const low = packet.uint(2)
  packet.at += 3
  const capabilities = (low | (packet.uint(2) << 16)) >>> 0
  const nonceLength = packet.uint(1)
  packet.at += 10
  const second = packet.take(Math.max(13, nonceLength - 8)).subarray(0, 12)
  const plugin = capabilities & CAPABILITY.pluginAuth ? packet.textToNul() : 'mysql_native_password'
  return { version, thread, capabilities, nonce: Buffer.concat([first, second]), plugin }
}

function clientFlags(flags: number): Buffer {
  const head = Buffer.alloc(32)
  head.writeUInt32LE(flags >>> 0, 0)
  head.writeUInt32LE(MAX_PACKET, 4)
  head[8] = UTF8MB4
  return head
}

async function upgrade(plain: ConnectorSocket, config: MysqlConfig): Promise<ConnectorSocket> {
  const { mode, ca_certificate: ca } = config.ssl_mode ?? { mode: 'preferred' }
  const verify: TlsOptions['verify'] =
    mode === 'verify_identity' ? 'full' : mode === 'verify_ca' ? 'ca' : 'none'
  try {
    return await plain.startTls({
      servername: config.host,
      verify,
      ...(ca && verify !== 'none' ? { ca } : {}),
    })
  } catch (error) {
    plain.destroy()
    if (!(error instanceof AirbyteError) || error.code !== 'TLS_FAILED' || error.field) throw error
    const field = ca ? 'config.ssl_mode.ca_certificate' : 'config.ssl_mode'
    throw new AirbyteError('TLS_FAILED', error.message, { ...error.toJSON(), field, cause: error })
  }
}

async function signIn(
  socket: ConnectorSocket,
  reader: PacketReader,
  greeting: Greeting,
  config: MysqlConfig,
  sequence: number,
  { client, secure }: { client: number; secure: boolean },
): Promise<Session> {
  const password = config.password ?? ''
  let challenge: Challenge = firstChallenge(greeting)
  const proof = answerTo(challenge, password, secure)
  const response = Buffer.concat([
    clientFlags(client),
    Buffer.from(`${config.username}\0`),
    Buffer.of(proof.length),
    proof,
    Buffer.from(`${config.database}\0`),
    Buffer.from(`${challenge.plugin}\0`),
  ])
  socket.write(framed(response, sequence))
  const send = (payload: Buffer) => socket.write(framed(payload, reader.sequence + 1))

  for (;;) {
    const packet = await reader.next()
    const kind = packet.uint(1)
    if (kind === 0x00) return { socket, reader, version: greeting.version, thread: greeting.thread }
    if (kind === 0xff) throw serverError(packet)
    if (kind === 0xfe) {
      challenge = { plugin: packet.textToNul(), nonce: Buffer.from(packet.rest().subarray(0, 20)) }
      send(answerTo(challenge, password, secure))
    } else if (kind === 0x01 && challenge.plugin === 'caching_sha2_password') {
      const step = packet.rest()
      if (step[0] === SHA2.proven) continue
      if (step[0] !== SHA2.wantsPassword) {
        send(sealedPassword(password, challenge.nonce, step.toString('latin1')))
      } else {
        send(secure ? Buffer.from(`${password}\0`) : Buffer.of(SHA2.askForKey))
      }
    } else {
      throw new AirbyteError('AUTH_FAILED', `The server continued '${challenge.plugin}' oddly.`)
    }
  }
}

/** `caching_sha2_password`: what the server says after the scramble, and how its key is asked for. */
const SHA2 = { askForKey: 0x02, proven: 0x03, wantsPassword: 0x04 }

/** The greeting names the server's default; the user's own plugin comes by a switch. */
function firstChallenge({ plugin, nonce }: Greeting): Challenge {
  const known = plugin === 'caching_sha2_password' ? plugin : 'mysql_native_password'
  return { plugin: known, nonce }
}
