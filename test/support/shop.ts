/** The declarative source `shop` in the Worker's registry, for tests. */
import { vi } from 'vitest'
import { sourceRegistry } from '../../src/durable-object/platform.ts'
import type { JsonObject } from '../../src/protocol/index.ts'
import type { Source } from '../../src/runtime/contract.ts'
import { declarativeSource } from '../../src/runtime/declarative/index.ts'
import { SHOP_INFO, SHOP_URL } from './shop-manifest.ts'

let shop: Source | undefined

/** What `shop` is from now on. */
export function setShop(manifest: JsonObject): void {
  shop = declarativeSource(manifest, SHOP_INFO)
}

const { get, has } = sourceRegistry
sourceRegistry.get = (name) => (name === SHOP_INFO.name && shop ? shop : get(name))
sourceRegistry.has = (name) => name === SHOP_INFO.name || has(name)

export type Answer = (query: URLSearchParams, request: Request) => Response | Promise<Response>

/**
 * Answers the Worker's requests to the shop by their path, until the mocks are restored. Returns the
 * paths asked for; what has no answer is a 404.
 */
export function serveShop(answers: Record<string, Answer>): string[] {
  const requests: string[] = []
  const real = globalThis.fetch
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const request = new Request(input, init)
    const { origin, pathname, search, searchParams } = new URL(request.url)
    if (origin !== SHOP_URL) return real(request)
    requests.push(pathname + search)
    return (await answers[pathname]?.(searchParams, request)) ?? new Response('', { status: 404 })
  })
  return requests
}

export const rows = (...ids: (number | object)[]) =>
  Response.json(ids.map((id) => (typeof id === 'number' ? { id } : id)))

export const busy = (seconds: number) =>
  new Response('', { status: 429, headers: { 'retry-after': String(seconds) } })
