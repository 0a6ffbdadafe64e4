import type { JsonObject } from '../../protocol/index.ts'
import type { Destination } from '../../runtime/contract.ts'

/** The destination with the limits that it has under this config. */
export function withLimits(connector: Destination, config: JsonObject): Destination {
  const own = connector.limits?.(config)
  if (!own) return connector
  const { capabilities } = connector
  return {
    ...connector,
    capabilities: { ...capabilities, limits: { ...capabilities.limits, ...own } },
  }
}
