import type { Context } from 'hono'
import type { AuthenticatedCaller } from '../../operations/caller.ts'

/** Hono's environment: `caller` and `tenantId` are there on every route behind authentication. */
export interface ApiEnv {
  Bindings: Env
  Variables: AuthenticatedCaller
}

export type ApiContext = Context<ApiEnv>
