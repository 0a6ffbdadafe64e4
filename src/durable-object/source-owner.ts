/** A source's owner, as those see it who run the source: its object, asked by RPC. */
import { waitUntil } from 'cloudflare:workers'
import type { RefreshedToken, SourceOwner, Token, TokenState } from '../runtime/contract.ts'
import { sourceStub } from './platform.ts'
import { guarded } from './rpc-guard.ts'

export interface OwnedSource {
  id: string
  /** The edition of the config that this run was given. */
  edition(): number
  /** Called with each secret that comes up, before anyone else sees it. */
  remember(secret: string): void
}

export function sourceOwner(env: Env, tenantId: string, source: OwnedSource): SourceOwner {
  const object = sourceStub(env, tenantId, source.id)

  async function token(
    key: string,
    refresh: (state: TokenState) => Promise<RefreshedToken>,
    stale?: string,
  ): Promise<Token> {
    let answered: { fresh: RefreshedToken; state: TokenState } | undefined
    const report = (state: TokenState) =>
      guarded(async () => {
        const fresh = await refresh(state)
        source.remember(fresh.value)
        for (const { value, secret } of fresh.changes ?? []) {
          if (secret && typeof value === 'string') source.remember(value)
        }
        answered = { fresh, state }
        return fresh
      })
    try {
      return await object.token(key, report, stale)
    } catch (error) {
      if (!answered) throw error
      // The object went away while the endpoint answered: its answer must not be lost.
      const { fresh, state } = answered
      return await object.keepToken(key, fresh, state.config ?? {}, source.edition())
    }
  }

  return {
    async token(key, refresh, stale) {
      const work = token(key, refresh, stale)
      // Also when whoever asked for the check or the preview has gone.
      waitUntil(work.catch(() => {}))
      const { value, expiresAt } = await work
      source.remember(value)
      return { value, expiresAt }
    },
    saveConfig: (config) => object.saveConfig(config, source.edition()),
    takeSeat: (...seat) => object.takeSeat(...seat),
    leaveSeat: (...seat) => object.leaveSeat(...seat),
    takeCalls: (...wish) => object.takeCalls(...wish),
    giveBackCalls: (...back) => object.giveBackCalls(...back),
    learnCalls: (...said) => object.learnCalls(...said),
  }
}
