import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The key that the API takes; tests look for it where it must not be. */
export const API_KEY = 'canary-api-key-5d1f'

/** A real HTTP server with an API of items, which manifests of the tests read. */
export async function startConnectorRegistry(): Promise<{ url: string; stop(): void }> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname === '/api/items') {
      if (request.headers.authorization !== `Bearer ${API_KEY}`) return json(response, 401, {})
      return json(response, 200, { items: itemsSince(searchParams.get('since')) })
    }
    json(response, 404, {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}

const ITEMS = [
  { id: 1, name: 'first', updated_at: '2024-01-01' },
  { id: 2, name: 'second', updated_at: '2024-01-02' },
  { id: 3, name: 'third', updated_at: '2024-01-03' },
]

const itemsSince = (since: string | null) =>
  ITEMS.filter(({ updated_at: at }) => since === null || at >= since)

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
