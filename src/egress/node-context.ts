import type { LogLevel } from '../protocol/index.ts'
import type { ConnectorContext, ObjectStore } from '../runtime/contract.ts'
import { createEgress } from './index.ts'
import { nodeEgressHost } from './node-host.ts'

export interface NodeContextOptions {
  /** Opens loopback and private networks; default true: the CLI runs on the person's own machine. */
  allowPrivate?: boolean
  log?: (level: LogLevel, message: string) => void
  signal?: AbortSignal
  warehouse?: ObjectStore
  /**
   * HTTP goes over connections of our own, which takes less time than the global `fetch`, and only to
   * addresses that were checked; default false.
   */
  keepsConnections?: boolean
  /** Epoch milliseconds; default: never. */
  deadline?: number
}

/**
 * The context of a connector that runs in plain Node: the CLI and the tests.
 *
 * @example
 * const result = await source.check(createNodeContext(), config)
 */
export function createNodeContext(options: NodeContextOptions = {}): ConnectorContext {
  const signal = options.signal ?? new AbortController().signal
  const { allowPrivate = true, keepsConnections } = options
  const deadline = options.deadline ?? Number.POSITIVE_INFINITY
  return {
    ...createEgress(nodeEgressHost(), { allowPrivate }, signal, { keepsConnections }),
    log: options.log ?? (() => {}),
    now: () => Date.now(),
    signal,
    budget: { deadline, exhausted: () => Date.now() >= deadline },
    warehouse: options.warehouse,
  }
}
