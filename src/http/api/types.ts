import type { Context } from 'hono'
import type { AuthenticatedCaller, Scope } from '../../operations/caller.ts'

/** Hono's environment: `caller` and `tenantId` are there on every route behind authentication. */
export interface ApiEnv {
  Bindings: Env
  Variables: AuthenticatedCaller & {
    /** Scopes of the operation that the caller lacks one of. */
    needed?: readonly Scope[]
  }
}

export type ApiContext = Context<ApiEnv>
