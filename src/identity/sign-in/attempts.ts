import { type AttemptKind, attemptOver, keepAttempt, takeAttempt } from '../attempts.ts'
import { randomText } from '../crypto.ts'
import type { Challenge, SignInProvider } from './provider.ts'

const SIGN_IN: AttemptKind = { prefix: 'signin', cookie: '__Host-airbyte-sign-in', secure: true }

/** One way from our page to the provider and back. */
export interface Attempt extends Challenge {
  provider: SignInProvider['id']
  /** Checked by `safeReturnPath`. */
  returnTo: string
}

/** `Set-Cookie` value that ends an attempt in the browser. */
export const ATTEMPT_OVER = attemptOver(SIGN_IN)

/** Begins a sign-in, which only this browser can finish. */
export async function beginSignIn(
  env: Env,
  { provider, returnTo }: Pick<Attempt, 'provider' | 'returnTo'>,
): Promise<{ attempt: Attempt; cookie: string }> {
  const [state, nonce, verifier] = [randomText(), randomText(), randomText()]
  const attempt: Attempt = { provider, returnTo, state, nonce, verifier }
  return { attempt, cookie: await keepAttempt(env, SIGN_IN, attempt) }
}

/** Uses a sign-in up; null if there is none for this state, browser and provider. */
export async function takeSignIn(
  env: Env,
  request: Request,
  provider: string,
  state: string,
): Promise<Attempt | null> {
  const attempt = await takeAttempt<Attempt>(env, request, SIGN_IN, state)
  return attempt?.provider === provider ? attempt : null
}
