import {
  budgetOf,
  connectorContext,
  destinationRegistry,
  stagingStore,
} from '../durable-object/platform.ts'
import { sourceOwner } from '../durable-object/source-owner.ts'
import { createSetup, getSetup } from '../http/setup.ts'
import type { AuthenticatedCaller } from './caller.ts'
import type { Face, OperationContext, ProgressUpdate } from './define.ts'
import { entityObjects, tenantAgent } from './objects.ts'
import { workspaceSources } from './workspace-connectors.ts'

export interface ContextOptions extends AuthenticatedCaller {
  face: Face
  /** Aborted when the caller goes away. */
  signal: AbortSignal
  /** Origin for links; default `PUBLIC_URL`. */
  publicUrl?: string
  progress?: (update: ProgressUpdate) => void
}

/** The context of one call, from the Worker's environment and an authenticated caller. */
export function createOperationContext(env: Env, options: ContextOptions): OperationContext {
  const { tenantId, caller, face, signal, progress = () => {} } = options
  const { subject } = caller
  const tenant = tenantAgent(env, tenantId)
  return {
    ...{ tenantId, caller, face, env, signal, progress },
    publicUrl: (options.publicUrl ?? env.PUBLIC_URL).replace(/\/$/, ''),
    tenant,
    objects: entityObjects(env, tenantId),
    registries: {
      sources: workspaceSources(env, tenantId, tenant),
      destinations: destinationRegistry,
    },
    connector: (connectorSignal, budgetMs, source) =>
      connectorContext(env, tenantId, {
        signal: connectorSignal,
        log: () => {},
        budget: budgetOf(budgetMs),
        owner: source && sourceOwner(env, tenantId, source),
      }),
    staging: stagingStore(env, tenantId),
    setups: {
      create: (request) => createSetup(env, { ...request, tenantId, subject }),
      get: (setupId) => getSetup(env, tenantId, setupId),
    },
    secrets: new Set(),
  }
}
