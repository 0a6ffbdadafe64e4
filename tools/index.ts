import type { Operation } from '../src/operations/define.ts'
import * as catalog from './catalog.ts'
import * as connectionRuns from './connection-runs.ts'
import * as connections from './connections.ts'
import * as connectors from './connectors.ts'
import * as data from './data.ts'
import * as destinations from './destinations.ts'
import * as diagnosis from './diagnosis.ts'
import * as keys from './keys.ts'
import * as members from './members.ts'
import * as resources from './resources.ts'
import * as setups from './setups.ts'
import * as sources from './sources.ts'
import * as syncs from './syncs.ts'
import * as webhooks from './webhooks.ts'
import * as workspace from './workspace.ts'

/** The files of operations, in the order in which faces list them. */
export const groups = {
  workspace,
  catalog,
  connectors,
  resources,
  setups,
  sources,
  destinations,
  data,
  connections,
  connectionRuns,
  syncs,
  diagnosis,
  keys,
  members,
  webhooks,
}

type OperationsIn<G> = { [K in keyof G]: G[K][keyof G[K]] }[keyof G]
/** Any operation of the product; the SDK's types are made of it. */
export type AnyOperation = OperationsIn<typeof groups>

/** Every operation: what a file exports is on every face. */
export const operations: readonly Operation[] = Object.values(groups).flatMap(
  (group): Operation[] => Object.values(group),
)

const byId = new Map(operations.map((operation) => [operation.id, operation]))
export const operationById = (id: string): Operation | undefined => byId.get(id)
