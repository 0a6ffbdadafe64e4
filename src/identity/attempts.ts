import { openWith, randomText, sealWith, sha256 } from './crypto.ts'
import { shardName } from './oauth-kv.ts'
import { readCookie } from './session.ts'

const LIFETIME_SECONDS = 600

/** A kind of way from a page of ours to a provider and back. */
export interface AttemptKind {
  /** Of its keys in the store. */
  prefix: string
  cookie: string
  /** Plain http keeps no cookie that is marked so; only local mode has it. */
  secure: boolean
}

/**
 * Begins an attempt; answers the `Set-Cookie` value. It is kept in the OAuth store under the hash of
 * its `state`, sealed with a secret that only the browser's cookie holds: an answer counts once, within
 * ten minutes, and in this browser alone (no login CSRF, no fixed state), and the store by itself
 * reveals nothing.
 */
export async function keepAttempt(
  env: Env,
  kind: AttemptKind,
  attempt: { state: string },
): Promise<string> {
  const secret = randomText()
  const key = await keyOf(kind, attempt.state)
  await storeOf(env, key).put(key, {
    value: await sealWith(secret, JSON.stringify(attempt)),
    expiration: Math.floor(Date.now() / 1000) + LIFETIME_SECONDS,
  })
  return cookieOf(kind, secret, LIFETIME_SECONDS)
}

/** Uses an attempt up; null if there is none for this state and browser. */
export async function takeAttempt<T extends { state: string }>(
  env: Env,
  request: Request,
  kind: AttemptKind,
  state: string,
): Promise<T | null> {
  const secret = readCookie(request, kind.cookie)
  if (!secret || !state) return null
  const key = await keyOf(kind, state)
  const sealed = await storeOf(env, key).take(key)
  if (!sealed) return null
  const opened = await openWith(secret, sealed).catch(() => null)
  return opened === null ? null : (JSON.parse(opened) as T)
}

/** `Set-Cookie` value that ends an attempt in the browser. */
export const attemptOver = (kind: AttemptKind) => cookieOf(kind, '', 0)

const cookieOf = ({ cookie, secure }: AttemptKind, value: string, age: number) =>
  `${cookie}=${value}; Path=/;${secure ? ' Secure;' : ''} HttpOnly; SameSite=Lax; Max-Age=${age}`

const keyOf = async ({ prefix }: AttemptKind, state: string) => `${prefix}:${await sha256(state)}`

const storeOf = (env: Env, key: string) => env.OAUTH_STORE.getByName(shardName(key))
