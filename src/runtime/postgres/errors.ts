import { AirbyteError } from '../../protocol/index.ts'
import {
  connectionLost,
  type ErrorMapping,
  type ErrorPlace,
  LOST_SOCKET,
  serverFailure,
  withStream,
} from '../database/errors.ts'

const grant = ({ right, username }: ErrorPlace) =>
  right
    ? `Run GRANT ${right} TO "${username ?? 'the user'}"; as the owner, or deselect the stream.`
    : undefined

/** By SQLSTATE, longest prefix first. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const BY_SQLSTATE: Record<string, ErrorMapping> = {
  '08': { code: 'CONNECTION_LOST' },
  '08P01': { code: 'UPSTREAM_ERROR' },
  '22021': {
    code: 'SOURCE_MISCONFIGURED',
    hint: () =>
      'A text of the table is not in the encoding that its database says. Mend it, or deselect its column.',
  },
  '22P05': {
    code: 'VALIDATION_FAILED',
    field: 'config.database',
    hint: () =>
      'The database is not in UTF8, and its encoding lacks this character or has one that UTF8 lacks. A destination needs a database that was created with ENCODING UTF8; at a source mend the text, or deselect its column.',
  },
  '25006': { code: 'DESTINATION_READ_ONLY' },
  '25P03': { code: 'CONNECTION_LOST' },
  '28': { code: 'AUTH_FAILED', field: 'config.username' },
  '28P01': { code: 'AUTH_FAILED', field: 'config.password' },
  '28000': {
    code: 'AUTH_FAILED',
    field: 'config.username',
    hint: () =>
      'Check the user name, that the role may log in, and that pg_hba.conf admits this client (with TLS or without).',
  },
  '3D000': { code: 'VALIDATION_FAILED', field: 'config.database' },
  '3F000': { code: 'VALIDATION_FAILED', field: 'config.schemas' },
  '40': { code: 'UPSTREAM_ERROR' },
  '42501': { code: 'PERMISSION_DENIED', hint: grant },
  '42P01': { code: 'STREAM_NOT_FOUND' },
  '42703': {
    code: 'COLUMNS_CHANGED',
    hint: () => 'A column went while the sync ran: sync again, columns are discovered anew.',
  },
  '53100': { code: 'DESTINATION_FULL' },
  '53300': {
    code: 'UPSTREAM_ERROR',
    hint: () => 'The server has no free connection slot; raise max_connections or close others.',
  },
  '53': { code: 'UPSTREAM_ERROR' },
  '55P03': {
    code: 'TIMEOUT',
    hint: () => 'Another session holds a lock on the table; it is tried again.',
  },
  '57014': { code: 'TIMEOUT' },
  '57P': { code: 'CONNECTION_LOST' },
  '58': { code: 'UPSTREAM_ERROR' },
  XX: { code: 'UPSTREAM_ERROR' },
}

const LOST_MESSAGE =
  /connection terminated|not queryable|connection error|network connection lost|socket|stream (was|is|has been) (cancelled|closed|destroyed)|after (a stream was|end)/i

/**
 * Any failure of a PostgreSQL statement or connection as an `AirbyteError`.
 * The server's own message is kept: it holds neither the password nor a row.
 *
 * @example
 * throw mapPostgresError(error, { ...config, stream: 'public.orders', right: 'SELECT ON "public"."orders"' })
 */
export function mapPostgresError(error: unknown, place: ErrorPlace = {}): AirbyteError {
  if (error instanceof AirbyteError) return withStream(error, place.stream)
  const { code, message } = describe(error)
  if (/^[0-9A-Z]{5}$/.test(code)) {
    const mapping = BY_SQLSTATE[code] ??
      BY_SQLSTATE[code.slice(0, 3)] ??
      BY_SQLSTATE[code.slice(0, 2)] ?? { code: 'UPSTREAM_ERROR' }
    return serverFailure(mapping, `PostgreSQL: ${message} (${code}).`, place, error)
  }
  const stream = place.stream ? { stream: place.stream } : {}
  if (/password must be a (non-empty )?string/i.test(message)) {
    return new AirbyteError('AUTH_FAILED', 'The server asks for a password and none is set.', {
      field: 'config.password',
      ...stream,
    })
  }
  if (LOST_SOCKET.has(code) || LOST_MESSAGE.test(message)) {
    return connectionLost(message, place, error)
  }
  if (code === 'ETIMEDOUT') {
    return new AirbyteError('TIMEOUT', `PostgreSQL did not answer: ${message}.`, { ...stream })
  }
  return new AirbyteError('INTERNAL', `PostgreSQL client: ${message}`, { ...stream, cause: error })
}

/** The server's `detail` and `where` are left out: they quote whole rows. */
function describe(error: unknown) {
  const { code, message } = (error ?? {}) as Record<string, unknown>
  return {
    code: typeof code === 'string' ? code : '',
    message: (typeof message === 'string' && message.replace(/\.$/, '')) || String(error),
  }
}
