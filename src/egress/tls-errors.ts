import { AirbyteError } from '../protocol/index.ts'

/** TLS_FAILED with what a person can do about the reason that the TLS layer gave. */
export function tlsFailed(servername: string, cause: unknown): AirbyteError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new AirbyteError('TLS_FAILED', `TLS with '${servername}' failed: ${reason}`, { cause })
}
