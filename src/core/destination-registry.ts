import type { Destination } from '../runtime/contract.ts'
import { type ConnectorRegistry, createRegistry } from './connector-registry.ts'

export type DestinationRegistry = ConnectorRegistry<Destination>

/** @example const registry = createDestinationRegistry(destinations); registry.get('r2').capabilities */
export const createDestinationRegistry = (
  destinations: readonly Destination[],
): DestinationRegistry => createRegistry('destination', destinations)
