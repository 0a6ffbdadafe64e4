import { connect } from 'cloudflare:sockets'
import { createEgress } from '../../src/egress/index.ts'
import { workerdEgressHost } from '../../src/egress/workerd-host.ts'
import type { ConnectorContext } from '../../src/runtime/contract.ts'

/** The context of a connector in workerd, with its own sockets; addresses are taken as they are. */
export function workerdContext(signal = new AbortController().signal): ConnectorContext {
  const host = workerdEgressHost({
    connect: connect as never,
    resolver: async (hostname) => [hostname],
  })
  return {
    ...createEgress(host, { allowPrivate: true }, signal),
    log: () => {},
    now: () => Date.now(),
    signal,
    budget: { deadline: Infinity, exhausted: () => false },
  }
}
