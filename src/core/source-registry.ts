import type { Source } from '../runtime/contract.ts'
import { type ConnectorRegistry, createRegistry } from './connector-registry.ts'

export type SourceRegistry = ConnectorRegistry<Source>

/** @example const registry = createSourceRegistry(sources); registry.get('postgres').spec() */
export const createSourceRegistry = (sources: readonly Source[]): SourceRegistry =>
  createRegistry('source', sources)
