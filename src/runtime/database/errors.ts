import { AirbyteError, type ErrorCode } from '../../protocol/index.ts'

/** Where an error happened; every part is optional and used in message or hint. A connection's config fits. */
export interface ErrorPlace {
  host?: string
  port?: number
  database?: string
  username?: string
  /** Stream key. */
  stream?: string
  /** The right that the statement needs and on what, quoted as in SQL: `SELECT ON TABLE "public"."orders"`. */
  right?: string
}

/** What an error of the server means. */
export interface ErrorMapping {
  code: ErrorCode
  field?: string
  hint?: (place: ErrorPlace) => string | undefined
}

/** Codes of a socket that broke. */
export const LOST_SOCKET = new Set([
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'ERR_STREAM_PREMATURE_CLOSE',
])

/** An error of the server, told in its own words. */
export function serverFailure(
  { code, field, hint }: ErrorMapping,
  message: string,
  place: ErrorPlace,
  cause: unknown,
): AirbyteError {
  const advice = hint?.(place)
  return new AirbyteError(code, message, {
    ...(advice ? { hint: advice } : {}),
    ...(field ? { field } : {}),
    ...(place.stream ? { stream: place.stream } : {}),
    cause,
  })
}

export function connectionLost(
  message: string,
  { host, stream }: ErrorPlace,
  cause: unknown,
): AirbyteError {
  const where = host ? ` to ${host}` : ''
  return new AirbyteError('CONNECTION_LOST', `The connection${where} broke: ${message}.`, {
    ...(stream ? { stream } : {}),
    cause,
  })
}

/** The same error, which names its stream. */
export function withStream(error: AirbyteError, stream?: string): AirbyteError {
  if (!stream || error.stream) return error
  return new AirbyteError(error.code, error.message, { ...error.toJSON(), stream, cause: error })
}
