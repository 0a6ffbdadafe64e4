import { toAirbyteError } from '../protocol/index.ts'
import type { HttpClient } from '../runtime/contract.ts'
import { signedHeaders } from './signature.ts'

const TIMEOUT_MS = 10_000
const MAX_ANSWER = 64 * 1024

export interface Parcel {
  url: string
  secret: string
  id: string
  body: string
}

export type Outcome =
  | { ok: true; httpStatus: number }
  | { ok: false; httpStatus?: number; error: string }

/** One attempt. A redirect is a failure: a signature is meant for the address that was given. */
export async function deliver(
  http: HttpClient,
  { url, secret, id, body }: Parcel,
): Promise<Outcome> {
  try {
    const response = await http.fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'airbyte-webhooks',
        ...signedHeaders(secret, id, Date.now(), body),
      },
      ...{ body, redirect: 'manual', attempts: 1, timeoutMs: TIMEOUT_MS, maxBytes: MAX_ANSWER },
    })
    await response.body?.cancel()
    const { ok, status: httpStatus } = response
    return ok ? { ok, httpStatus } : { ok: false, httpStatus, error: `answered ${httpStatus}` }
  } catch (error) {
    // The code only: a message of the network may quote the address, whose path may be a secret.
    return { ok: false, error: toAirbyteError(error).code }
  }
}
