import { type Role, SCOPES, type Scope } from '../../src/operations/caller.ts'
import { createOperationContext } from '../../src/operations/context.ts'
import type { Face } from '../../src/operations/define.ts'
import { invokeOperation } from '../../src/operations/invoke.ts'
import { operationById } from '../../tools/index.ts'

interface CallerOptions {
  face?: Face
  scopes?: readonly Scope[]
  role?: Role
}

/** Calls operations as a face does, for one workspace. Results are loose: tests look at what they know. */
export function callerOf(
  env: Env,
  tenantId: string,
  { face = 'http', scopes = SCOPES, role = 'admin' }: CallerOptions = {},
) {
  return async (id: string, input: unknown = {}) => {
    const operation = operationById(id)
    if (!operation) throw new Error(`no operation ${id}`)
    const caller = { subject: 'tester', kind: 'local', scopes, role } as const
    const signal = AbortSignal.timeout(60_000)
    const ctx = createOperationContext(env, { tenantId, caller, face, signal })
    return (await invokeOperation(operation, ctx, input)) as Record<string, never>
  }
}

/** A source that needs nothing: 25 users and what they buy. */
export const SAMPLE = { type: 'sample-data', config: { count: 25, seed: 1 } }
