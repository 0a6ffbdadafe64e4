import type { ConnectorContext } from '../../src/runtime/contract.ts'

export interface TestContext extends ConnectorContext {
  /** What the connector logged. */
  lines: string[]
  abort(reason?: unknown): void
}

/** The smallest host a connector can run in: no network of its own, a clock, a log, a signal. */
export function testContext(overrides: Partial<ConnectorContext> = {}): TestContext {
  const controller = new AbortController()
  const lines: string[] = []
  return {
    http: { fetch: () => Promise.reject(new Error('this test has no HTTP')) },
    connect: (): Promise<never> => Promise.reject(new Error('this test has no sockets')),
    log: (level, message) => lines.push(`${level} ${message}`),
    now: () => Date.now(),
    signal: controller.signal,
    budget: { deadline: Date.now() + 60_000, exhausted: () => false },
    lines,
    abort: (reason) => controller.abort(reason),
    ...overrides,
  }
}
