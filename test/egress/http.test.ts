import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createHttpClient } from '../../src/egress/http.ts'
import { createEgress } from '../../src/egress/index.ts'
import { KeptConnections } from '../../src/egress/kept-connections.ts'
import { nodeEgressHost } from '../../src/egress/node-host.ts'
import { createGuard } from '../../src/egress/policy.ts'
import { retryAfterMs } from '../../src/runtime/retry.ts'

type Handler = (request: IncomingMessage, response: ServerResponse, attempt: number) => void

let server: Server
let origin: string
let handler: Handler
let requests: IncomingMessage[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request)
    handler(request, response, requests.length)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  requests = []
})

const DEPS = {
  fetch,
  guard: createGuard(async () => ['127.0.0.1'], { allowPrivate: true }),
  backoffBaseMs: 5,
  longestWaitMs: 1500,
}
const local = createHttpClient(DEPS)
const { connect } = createEgress(nodeEgressHost(), { allowPrivate: true })
const kept = new KeptConnections()

describe.each([
  ['the platform', local],
  ['connections of our own', createHttpClient({ ...DEPS, connect, kept })],
])('over %s', (_, local) => {
  describe('retries', () => {
    it('rides out a storm of 429 and 5xx', async () => {
      handler = (_, response, attempt) => {
        response.writeHead([429, 503, 500, 502][attempt - 1] ?? 200).end('done')
      }
      const response = await local.fetch(origin)
      expect(await response.text()).toBe('done')
      expect(requests).toHaveLength(5)
    })

    it('rides out connections that are reset', async () => {
      handler = (request, response, attempt) => {
        if (attempt < 3) request.socket.resetAndDestroy()
        else response.end('done')
      }
      expect(await (await local.fetch(origin)).text()).toBe('done')
    })

    it('sends the body again', async () => {
      const bodies: string[] = []
      handler = async (request, response, attempt) => {
        bodies.push((await request.toArray()).join(''))
        response.writeHead(attempt < 2 ? 500 : 200).end()
      }
      await local.fetch(origin, { method: 'POST', body: 'q=1' })
      expect(bodies).toEqual(['q=1', 'q=1'])
    })

    it('gives up after the attempts allowed and hands over the last 5xx', async () => {
      handler = (_, response) => response.writeHead(503).end('still down')
      const response = await local.fetch(origin, { attempts: 3 })
      expect([response.status, await response.text()]).toEqual([503, 'still down'])
      expect(requests).toHaveLength(3)
    })

    it('throws RATE_LIMITED when a 429 never ends', async () => {
      handler = (_, response) => response.writeHead(429).end()
      await expect(local.fetch(origin, { attempts: 2 })).rejects.toMatchObject({
        code: 'RATE_LIMITED',
        kind: 'transient',
      })
    })

    it('returns everything as it comes with one attempt', async () => {
      handler = (_, response) => response.writeHead(429, { 'x-limit': '7' }).end()
      const response = await local.fetch(origin, { attempts: 1 })
      expect([response.status, response.headers.get('x-limit')]).toEqual([429, '7'])
    })

    it.each([400, 401, 403, 404, 501])('does not repeat a %i', async (status) => {
      handler = (_, response) => response.writeHead(status).end()
      expect((await local.fetch(origin)).status).toBe(status)
      expect(requests).toHaveLength(1)
    })

    it('names the host that cannot be reached', async () => {
      await expect(local.fetch('http://127.0.0.1:1/', { attempts: 2 })).rejects.toMatchObject({
        code: 'HOST_UNREACHABLE',
        message: expect.stringContaining('127.0.0.1:1'),
      })
    })
  })

  describe('Retry-After', () => {
    it('is waited for', async () => {
      handler = (_, response, attempt) =>
        attempt === 1 ? response.writeHead(429, { 'retry-after': '1' }).end() : response.end('ok')
      const started = Date.now()
      await local.fetch(origin)
      expect(Date.now() - started).toBeGreaterThanOrEqual(990)
    })

    it('beyond the cap becomes RATE_LIMITED with the moment to come back', async () => {
      handler = (_, response) => response.writeHead(429, { 'retry-after': '3600' }).end()
      const error = await local.fetch(origin).catch((e: unknown) => e)
      expect(error).toMatchObject({ code: 'RATE_LIMITED' })
      const { retryAt } = error as { retryAt: number }
      expect(Math.abs(retryAt - Date.now() - 3_600_000)).toBeLessThan(5000)
      expect(requests).toHaveLength(1)
    })

    it('is read as seconds, as a date, and not at all when it is neither', () => {
      const now = Date.UTC(2026, 0, 1, 12, 0, 0)
      expect(retryAfterMs('120', now)).toBe(120_000)
      expect(retryAfterMs('Thu, 01 Jan 2026 12:00:30 GMT', now)).toBe(30_000)
      expect(retryAfterMs('Thu, 01 Jan 2026 11:00:00 GMT', now)).toBe(0)
      expect(retryAfterMs('soon', now)).toBeUndefined()
      expect(retryAfterMs(null, now)).toBeUndefined()
    })
  })

  describe('responses', () => {
    it('are cut at the size cap, announced or not', async () => {
      handler = (request, response) => {
        if (request.url === '/announced') response.writeHead(200, { 'content-length': 1_000_000 })
        for (let i = 0; i < 10; i++) response.write(Buffer.alloc(100_000))
        response.end()
      }
      const options = { maxBytes: 1000 }
      await expect(local.fetch(`${origin}/announced`, options)).rejects.toMatchObject({
        code: 'TOO_LARGE',
      })
      const response = await local.fetch(`${origin}/chunked`, options)
      await expect(response.text()).rejects.toMatchObject({ code: 'TOO_LARGE' })
    })

    it('count after decompression, so a small bomb does not pass', async () => {
      handler = (_, response) =>
        response
          .writeHead(200, { 'content-encoding': 'gzip' })
          .end(gzipSync(Buffer.alloc(5_000_000)))
      const response = await local.fetch(origin, { maxBytes: 100_000 })
      await expect(response.arrayBuffer()).rejects.toMatchObject({ code: 'TOO_LARGE' })
    })

    it('that break off are CONNECTION_LOST, not a short body', async () => {
      handler = (request, response) => {
        response.writeHead(200, { 'content-length': 100 }).write('half')
        setTimeout(() => request.socket.resetAndDestroy(), 20)
      }
      const response = await local.fetch(origin)
      await expect(response.text()).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    })

    it('whose headers drip in are a TIMEOUT', async () => {
      handler = (request) => {
        const letters = 'HTTP/1.1 200 OK\r\nx-slow: loris'[Symbol.iterator]()
        const drip = setInterval(() => request.socket.write(letters.next().value ?? '.'), 20)
        request.socket.on('close', () => clearInterval(drip))
      }
      await expect(local.fetch(origin, { timeoutMs: 100, attempts: 2 })).rejects.toMatchObject({
        code: 'TIMEOUT',
        message: expect.stringContaining('127.0.0.1'),
      })
      expect(requests).toHaveLength(2)
    })

    it('whose body stalls are a TIMEOUT', async () => {
      handler = (_, response) => void response.writeHead(200).write('begin')
      const response = await local.fetch(origin, { timeoutMs: 100 })
      await expect(response.text()).rejects.toMatchObject({ code: 'TIMEOUT' })
    })

    it('keep status, headers and the final address', async () => {
      handler = (request, response) =>
        request.url === '/a'
          ? response.writeHead(302, { location: '/b' }).end()
          : response.writeHead(201, { 'x-page': '2' }).end('{"ok":true}')
      const response = await local.fetch(`${origin}/a`)
      expect(response.url).toBe(`${origin}/b`)
      expect([response.status, response.headers.get('x-page')]).toEqual([201, '2'])
      expect(await response.json()).toEqual({ ok: true })
    })
  })

  describe('abort', () => {
    it('ends a wait at once', async () => {
      handler = (_, response) => response.writeHead(429, { 'retry-after': '1' }).end()
      const stop = new AbortController()
      setTimeout(() => stop.abort(new Error('cancelled')), 50)
      const started = Date.now()
      await expect(local.fetch(origin, { signal: stop.signal })).rejects.toThrow('cancelled')
      expect(Date.now() - started).toBeLessThan(950)
    })

    it('ends a request at once', async () => {
      handler = () => {}
      const stop = new AbortController()
      setTimeout(() => stop.abort(new Error('cancelled')), 50)
      await expect(local.fetch(origin, { signal: stop.signal })).rejects.toThrow('cancelled')
    })

    it('of the read leaves room to tidy up at the other side, and for nothing else', async () => {
      handler = (_, response) => response.end('tidied')
      const guard = createGuard(async () => ['127.0.0.1'], { allowPrivate: true })
      const signal = AbortSignal.abort(new Error('cancelled'))
      const client = createHttpClient({ fetch, guard, signal })
      await expect(client.fetch(origin)).rejects.toThrow('cancelled')
      const response = await client.fetch(origin, { afterCancel: true })
      expect(await response.text()).toBe('tidied')
    })
  })
})

describe('redirects when hosted', () => {
  const NAMES: Record<string, string[]> = {
    'api.example': ['93.184.216.34'],
    'cdn.example': ['93.184.216.35'],
    'inside.example': ['10.0.0.1'],
  }
  /** The internet in one server: real HTTP, only the addresses are not. */
  const hosted = createHttpClient({
    fetch: (url, init) => {
      const { host, pathname } = new URL(String(url))
      return fetch(`${origin}/${host}${pathname}`, init)
    },
    guard: createGuard(async (name) => NAMES[name] ?? [], { allowPrivate: false }),
    backoffBaseMs: 5,
  })
  const redirectTo = (location: string, status = 302): Handler => {
    return (_, response, attempt) =>
      attempt === 1 ? response.writeHead(status, { location }).end() : response.end('arrived')
  }

  it.each([
    ...[
      'https://127.0.0.1/',
      'https://169.254.169.254/latest/meta-data',
      'https://inside.example/',
    ],
    ...['http://cdn.example/', 'file:///etc/passwd', 'https://2130706433/', '//[::1]/'],
  ])('refuses a hop to %s', async (location) => {
    handler = redirectTo(location)
    await expect(hosted.fetch('https://api.example/')).rejects.toMatchObject({
      code: 'EGRESS_REFUSED',
    })
    expect(requests).toHaveLength(1)
  })

  const credentials = { authorization: 'Bearer t', 'x-api-key': 'k', cookie: 'c=1', accept: 'a/b' }

  it('leaves credentials behind when the origin changes', async () => {
    handler = redirectTo('https://cdn.example/file')
    await hosted.fetch('https://api.example/', { headers: credentials })
    const sent = requests[1]?.headers ?? {}
    expect(sent).toMatchObject({ accept: 'a/b' })
    for (const name of ['authorization', 'x-api-key', 'cookie'])
      expect(sent).not.toHaveProperty(name)
  })

  it('keeps them within the origin', async () => {
    handler = redirectTo('/v2')
    await hosted.fetch('https://api.example/', { headers: credentials })
    expect(requests[1]?.headers).toMatchObject({ authorization: 'Bearer t', 'x-api-key': 'k' })
  })

  it('turns a POST into a GET on 302 and keeps it on 307', async () => {
    const post = { method: 'POST', body: 'x' }
    handler = redirectTo('/next')
    await hosted.fetch('https://api.example/', post)
    requests = []
    handler = redirectTo('/next', 307)
    await hosted.fetch('https://api.example/', post)
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'POST'])
  })

  it('does not hand a body to another origin', async () => {
    handler = redirectTo('https://cdn.example/', 307)
    const post = { method: 'POST', body: 'client_secret=s' }
    await expect(hosted.fetch('https://api.example/', post)).rejects.toMatchObject({
      code: 'EGRESS_REFUSED',
    })
  })

  it('ends a loop', async () => {
    handler = (_, response) => response.writeHead(302, { location: '/again' }).end()
    await expect(hosted.fetch('https://api.example/')).rejects.toThrow('more than 10 times')
    expect(requests).toHaveLength(11)
  })

  it('hands over the redirect itself when asked to', async () => {
    handler = redirectTo('https://127.0.0.1/')
    const response = await hosted.fetch('https://api.example/', { redirect: 'manual' })
    expect(response.headers.get('location')).toBe('https://127.0.0.1/')
  })
})

it('sends user-info of a URL as a header', async () => {
  handler = (_, response) => response.end()
  const response = await local.fetch(origin.replace('//', '//me:p%40ss@'))
  expect(requests[0]?.headers.authorization).toBe(`Basic ${btoa('me:p@ss')}`)
  expect(response.url).not.toContain('ss@')
})

it('refuses what is no URL', async () => {
  await expect(local.fetch('/relative')).rejects.toMatchObject({ code: 'EGRESS_REFUSED' })
})
