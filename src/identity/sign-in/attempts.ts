import { openWith, randomText, sealWith, sha256 } from '../crypto.ts'
import { shardName } from '../oauth-kv.ts'
import { readCookie } from '../session.ts'
import type { Challenge, SignInProvider } from './provider.ts'

const COOKIE = '__Host-airbyte-sign-in'
const LIFETIME_SECONDS = 600

/** One way from our page to the provider and back. */
export interface Attempt extends Challenge {
  provider: SignInProvider['id']
  /** Checked by `safeReturnPath`. */
  returnTo: string
}

/** `Set-Cookie` value that ends an attempt in the browser. */
export const ATTEMPT_OVER = `${COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`

/**
 * Begins an attempt. It is kept in the OAuth store under the hash of its `state`, sealed with a
 * secret that only the browser's cookie holds: an answer counts once, within ten minutes, and in
 * this browser alone (no login CSRF, no fixed state), and the store by itself reveals nothing.
 */
export async function beginAttempt(
  env: Env,
  { provider, returnTo }: Pick<Attempt, 'provider' | 'returnTo'>,
): Promise<{ attempt: Attempt; cookie: string }> {
  const secret = randomText()
  const [state, nonce, verifier] = [randomText(), randomText(), randomText()]
  const attempt: Attempt = { provider, returnTo, state, nonce, verifier }
  const key = await keyOf(state)
  await storeOf(env, key).put(key, {
    value: await sealWith(secret, JSON.stringify(attempt)),
    expiration: Math.floor(Date.now() / 1000) + LIFETIME_SECONDS,
  })
  const cookie = `${COOKIE}=${secret}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${LIFETIME_SECONDS}`
  return { attempt, cookie }
}

/** Uses an attempt up; null if there is none for this state, browser and provider. */
export async function takeAttempt(
  env: Env,
  request: Request,
  provider: string,
  state: string,
): Promise<Attempt | null> {
  const secret = readCookie(request, COOKIE)
  if (!secret || !state) return null
  const key = await keyOf(state)
  const sealed = await storeOf(env, key).take(key)
  if (!sealed) return null
  const opened = await openWith(secret, sealed).catch(() => null)
  const attempt = opened === null ? null : (JSON.parse(opened) as Attempt)
  return attempt?.provider === provider ? attempt : null
}

const keyOf = async (state: string) => `signin:${await sha256(state)}`

const storeOf = (env: Env, key: string) => env.OAUTH_STORE.getByName(shardName(key))
