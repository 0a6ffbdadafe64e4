import { AirbyteError } from '../../protocol/index.ts'
import type { ConnectorSocket, TlsOptions } from '../contract.ts'
import type { PostgresConfig } from './config.ts'

/** https://www.postgresql.org/docs/current/protocol-message-formats.html: length 8, code 80877103. */
const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f)

/**
 * Asks the server for TLS and upgrades. Returns the plain socket when the server has no TLS and
 * `required` is false. Rejects with TLS_FAILED otherwise.
 */
export async function requestTls(
  socket: ConnectorSocket,
  config: PostgresConfig,
  required: boolean,
): Promise<ConnectorSocket> {
  const reply = await ask(socket)
  // More than one byte in clear text is an injection attempt (CVE-2021-23222), not a server.
  if (reply.length === 1 && reply[0] === 0x53) return upgrade(socket, config)
  if (reply.length === 1 && reply[0] === 0x4e && !required) return socket
  socket.destroy()
  if (reply.length === 1 && reply[0] === 0x4e) {
    throw new AirbyteError('TLS_FAILED', `The server at ${config.host} does not offer TLS.`, {
      field: 'config.ssl_mode',
      hint: 'Turn TLS on at the server, or choose the SSL mode "prefer" or "disable" knowingly.',
    })
  }
  throw new AirbyteError(
    'TLS_FAILED',
    `What answers at ${config.host}:${config.port ?? 5432} does not speak PostgreSQL's protocol.`,
    { field: 'config.port', hint: 'Check host and port.' },
  )
}

async function upgrade(socket: ConnectorSocket, config: PostgresConfig): Promise<ConnectorSocket> {
  try {
    return await socket.startTls(tlsOptions(config))
  } catch (error) {
    socket.destroy()
    throw atField(error, config)
  }
}

/** The socket knows why the handshake failed; which field decides it only we know. */
function atField(error: unknown, { ssl_mode }: PostgresConfig): unknown {
  if (!(error instanceof AirbyteError) || error.code !== 'TLS_FAILED' || error.field) return error
  const field = ssl_mode?.ca_certificate ? 'config.ssl_mode.ca_certificate' : 'config.ssl_mode'
  return new AirbyteError('TLS_FAILED', error.message, { ...error.toJSON(), field, cause: error })
}

function tlsOptions({ host, ssl_mode }: PostgresConfig): TlsOptions {
  const verify =
    ssl_mode?.mode === 'verify-full' ? 'full' : ssl_mode?.mode === 'verify-ca' ? 'ca' : 'none'
  return {
    servername: host,
    verify,
    ...(ssl_mode?.ca_certificate ? { ca: ssl_mode.ca_certificate } : {}),
  }
}

function ask(socket: ConnectorSocket): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      socket.off('data', onData).off('error', onError).off('close', onClose)
      act()
    }
    const onData = (bytes: Uint8Array) => settle(() => resolve(bytes))
    const onError = (error: Error) => settle(() => reject(error))
    const onClose = () => settle(() => reject(closed()))
    socket.on('data', onData).on('error', onError).on('close', onClose)
    socket.write(SSL_REQUEST)
  })
}

const closed = () =>
  new AirbyteError('CONNECTION_LOST', 'The server closed the connection before it answered.')
