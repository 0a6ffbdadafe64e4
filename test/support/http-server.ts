import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

/** A real HTTP server that behaves as its path says, for tests that run in workerd. */
export async function startHttpServer(): Promise<{ url: string; stop(): void }> {
  const attempts = new Map<string, number>()
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    const attempt = (attempts.get(path) ?? 0) + 1
    attempts.set(path, attempt)
    if (path.startsWith('/flaky')) response.writeHead(attempt < 3 ? 503 : 200).end('recovered')
    else if (path.startsWith('/echo'))
      request.pipe(response.writeHead(200, { 'x-method': request.method }))
    else if (path.startsWith('/gzip'))
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"packed":true}'))
    else if (path.startsWith('/redirect')) response.writeHead(302, { location: '/plain' }).end()
    else if (path.startsWith('/metadata'))
      response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end()
    else if (path.startsWith('/large')) {
      for (let i = 0; i < 10; i++) response.write(Buffer.alloc(100_000))
      response.end()
    } else if (path.startsWith('/cut')) {
      response.writeHead(200, { 'content-length': 100 }).write('half')
      setTimeout(() => request.socket.resetAndDestroy(), 20)
    } else if (path.startsWith('/silent')) request.resume()
    else if (path.startsWith('/stall')) response.writeHead(200).write('begin')
    else response.end('plain')
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
