import type { TokenRefresh } from '../../contract.ts'
import type { Environment } from '../environment.ts'

/** A token that all who run the source share. */
export interface SharedToken {
  current(): Promise<string>
  /** Another than the one given last, which was refused. */
  renew(): Promise<string>
}

/**
 * @param key equal for authenticators that are equal
 * @param refresh gets a token; called when the source's owner has none that is valid
 */
export function sharedToken(env: Environment, key: string, refresh: TokenRefresh): SharedToken {
  const { tokens, owner } = env.run
  let given: string | undefined

  async function get(stale?: string): Promise<string> {
    const known = tokens.get(key)
    const isValid = known && known.expiresAt > env.ctx.now() && known.value !== stale
    const { value, expiresAt } = isValid ? known : await owner.token(key, refresh, stale)
    tokens.set(key, { value, expiresAt })
    given = value
    return value
  }

  return { current: () => get(), renew: () => get(given) }
}
