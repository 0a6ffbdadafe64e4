import { AirbyteError } from '../../protocol/index.ts'
import {
  connectionLost,
  type ErrorMapping,
  type ErrorPlace,
  LOST_SOCKET,
  serverFailure,
  withStream,
} from '../database/errors.ts'
import type { PacketCursor } from './wire.ts'

/** What the server answered instead of a result. */
export class MysqlServerError extends Error {
  override readonly name = 'MysqlServerError'
  readonly errno: number
  readonly sqlState: string

  constructor(errno: number, sqlState: string, message: string) {
    super(message)
    this.errno = errno
    this.sqlState = sqlState
  }
}

/** An ERR packet; the cursor stands behind its first byte. */
export function serverError(packet: PacketCursor): MysqlServerError {
  const errno = packet.uint(2)
  // Errors before the handshake have no SQLSTATE.
  const marked = packet.bytes[packet.at] === 0x23
  const sqlState = marked ? packet.take(6).toString('latin1').slice(1) : 'HY000'
  return new MysqlServerError(errno, sqlState, packet.rest().toString('utf8'))
}

const grant = ({ right, username }: ErrorPlace) =>
  right
    ? `Run GRANT ${right} TO '${username ?? 'the user'}'; as an administrator, or deselect the stream.`
    : undefined
const tooMany: ErrorMapping = {
  code: 'UPSTREAM_ERROR',
  hint: () => 'The server has no free connection; raise max_connections or close others.',
}
const denied: ErrorMapping = { code: 'PERMISSION_DENIED', hint: grant }
const logGone: ErrorMapping = { code: 'CDC_POSITION_LOST' }

/**
 * By error number.
 * @see https://mariadb.com/kb/en/mariadb-error-code-reference/
 * @see https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
 */
const BY_ERRNO: Record<number, ErrorMapping> = {
  1021: { code: 'DESTINATION_FULL' },
  1040: tooMany,
  1044: { code: 'PERMISSION_DENIED', field: 'config.database', hint: grant },
  1045: { code: 'AUTH_FAILED', field: 'config.password' },
  1049: { code: 'VALIDATION_FAILED', field: 'config.database' },
  1053: { code: 'CONNECTION_LOST' },
  1054: {
    code: 'COLUMNS_CHANGED',
    hint: () => 'A column went while the sync ran: sync again, columns are discovered anew.',
  },
  1114: { code: 'DESTINATION_FULL' },
  1129: { code: 'AUTH_FAILED', field: 'config.host' },
  1130: {
    code: 'AUTH_FAILED',
    field: 'config.host',
    hint: () => 'Create the user for the host that connects, or for any: CREATE USER name@"%".',
  },
  1142: denied,
  1143: denied,
  1146: { code: 'STREAM_NOT_FOUND' },
  1203: tooMany,
  1153: { code: 'TOO_LARGE' },
  1205: { code: 'TIMEOUT' },
  1213: { code: 'TIMEOUT' },
  1226: tooMany,
  1227: denied,
  1236: logGone,
  1290: { code: 'DESTINATION_READ_ONLY' },
  1317: { code: 'CONNECTION_LOST' },
  1370: denied,
  1373: logGone,
  1836: { code: 'DESTINATION_READ_ONLY' },
  1525: {
    code: 'STATE_INVALID',
    hint: () =>
      'A saved cursor is no value of its column’s type any more: clear the state of the stream.',
  },
  1698: { code: 'AUTH_FAILED', field: 'config.username' },
  1862: { code: 'AUTH_FAILED', field: 'config.password' },
  1927: { code: 'CONNECTION_LOST' },
  1969: { code: 'TIMEOUT' },
  3024: { code: 'TIMEOUT' },
  3118: { code: 'AUTH_FAILED', field: 'config.username' },
  3159: { code: 'TLS_FAILED', field: 'config.ssl_mode' },
  3750: {
    code: 'PERMISSION_DENIED',
    hint: ({ username }) =>
      `Run GRANT SESSION_VARIABLES_ADMIN ON *.* TO '${username ?? 'the user'}'; as an administrator: its sessions then take tables without a primary key.`,
  },
  4031: { code: 'CONNECTION_LOST' },
  4151: { code: 'AUTH_FAILED', field: 'config.username' },
}

/**
 * Any failure of a statement or a connection as an `AirbyteError`. The server's own message is kept:
 * it holds no password.
 */
export function mapMysqlError(error: unknown, place: ErrorPlace = {}): AirbyteError {
  if (error instanceof AirbyteError) return withStream(error, place.stream)
  if (error instanceof MysqlServerError) {
    const mapping = BY_ERRNO[error.errno] ?? { code: 'UPSTREAM_ERROR' as const }
    return serverFailure(mapping, `MySQL: ${error.message} (${error.errno}).`, place, error)
  }
  const { code = '', message = String(error) } = (error ?? {}) as {
    code?: string
    message?: string
  }
  if (LOST_SOCKET.has(code)) return connectionLost(message, place, error)
  return new AirbyteError('INTERNAL', `MySQL client: ${message}`, {
    ...(place.stream ? { stream: place.stream } : {}),
    cause: error,
  })
}
