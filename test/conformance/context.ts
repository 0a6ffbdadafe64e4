import type { ConnectorContext, ObjectStore } from '../../src/runtime/contract.ts'

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

/** An object store in memory with the conditional writes of the real one. */
export function memoryStore(): ObjectStore & { keys(): string[] } {
  const objects = new Map<string, { bytes: Uint8Array; etag: string }>()
  let version = 0
  const info = (key: string) => {
    const object = objects.get(key)
    return object && { key, size: object.bytes.length, etag: object.etag, uploaded: 0 }
  }
  const write = (key: string, bytes: Uint8Array) => {
    objects.set(key, { bytes, etag: String(++version) })
    return info(key) as NonNullable<ReturnType<typeof info>>
  }
  return {
    async get(key, range) {
      const object = objects.get(key)
      const head = info(key)
      if (!object || !head) return null
      const { offset, length } = range ?? { offset: 0, length: object.bytes.length }
      const bytes = object.bytes.slice(offset, offset + length)
      return { ...head, body: new Response(bytes).body as ReadableStream<Uint8Array> }
    },
    head: async (key) => info(key) ?? null,
    async put(key, body, onlyIf) {
      const current = objects.get(key)
      if (onlyIf && 'absent' in onlyIf && current) return null
      if (onlyIf && 'etag' in onlyIf && current?.etag !== onlyIf.etag) return null
      return write(key, typeof body === 'string' ? new TextEncoder().encode(body) : body.slice())
    },
    async putStream(key, body) {
      const parts: Uint8Array[] = []
      for await (const part of body) parts.push(part.slice())
      return write(key, new Uint8Array(Buffer.concat(parts)))
    },
    async delete(keys) {
      for (const key of keys) objects.delete(key)
    },
    async list(prefix, cursor) {
      const all = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort()
      const rest = cursor === undefined ? all : all.filter((key) => key > cursor)
      const page = rest.slice(0, 1000)
      const more = rest.length > page.length ? { cursor: page.at(-1) } : {}
      return { objects: page.flatMap((key) => info(key) ?? []), ...more }
    },
    keys: () => [...objects.keys()].sort(),
  }
}
