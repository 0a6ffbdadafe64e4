import type { AttemptKind } from '../../identity/attempts.ts'
import type { OAuthClient } from '../../runtime/oauth/requests.ts'

/** One way to a vendor and back: for one person, one setup and so one source, in one browser. */
export interface VendorAttempt {
  state: string
  verifier: string
  setupId: string
  userId: string
  connector: string
  redirectUri: string
  tokenUrl: string
  /** What the person brought; absent: the operator's. */
  client?: OAuthClient
}

/** Plain http is there in local mode only. */
export const attemptKind = (request: Request): AttemptKind =>
  new URL(request.url).protocol === 'https:'
    ? { prefix: 'vendor', cookie: '__Host-airbyte-vendor', secure: true }
    : { prefix: 'vendor', cookie: 'airbyte-vendor', secure: false }
