import { AirbyteError } from '../protocol/index.ts'
import { OTHER_NAME } from './tls/certificates.ts'

export const HANDSHAKE_TIMEOUT_MS = 15_000

export function connectionLost(peer: string, cause: unknown): AirbyteError {
  if (cause instanceof AirbyteError) return cause
  return new AirbyteError('CONNECTION_LOST', `The connection to ${peer} broke.`, { cause })
}

/** TLS_FAILED with the reason that the TLS layer gave. */
export function tlsFailed(servername: string, cause: unknown): AirbyteError {
  if (cause instanceof AirbyteError && cause.code === 'TLS_FAILED') return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  const hasOtherName = (cause as { code?: string } | undefined)?.code === OTHER_NAME
  return new AirbyteError('TLS_FAILED', `TLS with '${servername}' failed: ${reason}`, {
    cause,
    ...(hasOtherName && { hint: 'Name the host as its certificate does.' }),
  })
}
