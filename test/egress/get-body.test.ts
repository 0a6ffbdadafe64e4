import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { join } from 'node:path'
import { deflateSync, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createHttpClient } from '../../src/egress/http.ts'
import { createEgress } from '../../src/egress/index.ts'
import { nodeEgressHost } from '../../src/egress/node-host.ts'
import { createGuard } from '../../src/egress/policy.ts'
import type { ConnectorContext } from '../../src/runtime/contract.ts'

const started: Server[] = []
afterEach(() => {
  for (const server of started.splice(0)) server.close()
})

async function listen(server: Server): Promise<number> {
  started.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const { http, connect } = createEgress(nodeEgressHost(), { allowPrivate: true })
const query = { body: '{"query":"ü"}', attempts: 1, headers: { 'X-Key': 'k', accept: 'a/b' } }

/** A server that answers each request with these bytes, in pieces, and closes unless told otherwise. */
const raw = async (pieces: (string | Uint8Array)[], stays = false) =>
  `http://127.0.0.1:${await listen(
    createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', async () => {
        for (const piece of pieces) {
          socket.write(piece)
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
        if (!stays) socket.end()
      })
    }),
  )}/x`

const bodyOf = async (request: IncomingMessage) => Buffer.concat(await request.toArray()).toString()
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'fine',
    (error) => error.code,
  )

describe('a GET with a body', () => {
  it('arrives as it is, with its headers', async () => {
    const seen: unknown[] = []
    const server = createServer(async (request, response) => {
      const { method, url, headers } = request
      seen.push({ method, url, headers, body: await bodyOf(request) })
      response.setHeader('x-page', '2').end('{"ok":true}')
    })
    const origin = `http://127.0.0.1:${await listen(server)}`
    const response = await http.fetch(`${origin}/a b?q=ü&r=%2F`, query)
    expect([response.status, response.headers.get('x-page')]).toEqual([200, '2'])
    expect(response.url).toBe(`${origin}/a%20b?q=%C3%BC&r=%2F`)
    expect(await response.json()).toEqual({ ok: true })
    expect(seen).toMatchObject([
      {
        ...{ method: 'GET', url: '/a%20b?q=%C3%BC&r=%2F', body: query.body },
        headers: { 'content-length': '14', 'x-key': 'k', accept: 'a/b', host: origin.slice(7) },
      },
    ])
  })

  it('goes over TLS, whose certificate is verified', async () => {
    const pem = (name: string) => readFileSync(join(import.meta.dirname, '../support/certs', name))
    const identity = { cert: pem('rsa.pem'), key: pem('rsa.key') }
    const server = createSecureServer(identity, async (request, response) =>
      response.end(await bodyOf(request)),
    ).on('tlsClientError', () => {})
    const url = `https://127.0.0.1:${await listen(server)}/`
    expect(await codeOf(http.fetch(url, query))).toBe('TLS_FAILED')
    const trusting: ConnectorContext['connect'] = async (target) => {
      const socket = await connect(target)
      const startTls = socket.startTls.bind(socket)
      const ca = pem('ca.pem').toString()
      return Object.assign(socket, {
        startTls: (options: Parameters<typeof startTls>[0]) => startTls({ ...options, ca }),
      })
    }
    const guard = createGuard(async () => ['127.0.0.1'], { allowPrivate: true })
    const response = await createHttpClient({ fetch, connect: trusting, guard }).fetch(url, query)
    expect(await response.text()).toBe(query.body)
  })

  it('does not reach private addresses when hosted', async () => {
    const hosted = createEgress(
      { ...nodeEgressHost(), resolve: async () => ['10.0.0.1'] },
      { allowPrivate: false },
    )
    expect(await codeOf(hosted.http.fetch('https://inside.example/', query))).toBe('EGRESS_REFUSED')
  })

  it('follows a redirect: without its body on 302, with it on 307', async () => {
    const seen: string[] = []
    const server = createServer(async (request, response) => {
      const { url = '' } = request
      seen.push(`${url} ${await bodyOf(request)}`)
      if (url === '/end') response.end('there')
      else response.writeHead(Number(url.slice(1)), { location: '/end' }).end()
    })
    const origin = `http://127.0.0.1:${await listen(server)}`
    for (const status of [302, 307]) {
      expect(await (await http.fetch(`${origin}/${status}`, query)).text()).toBe('there')
    }
    expect(seen).toEqual([
      ...[`/302 ${query.body}`, '/end ', `/307 ${query.body}`, `/end ${query.body}`],
    ])
  })

  it('is sent again after a reset and a 503', async () => {
    let attempt = 0
    const server = createServer((request, response) => {
      attempt += 1
      if (attempt === 1) request.socket.resetAndDestroy()
      else response.writeHead(attempt === 2 ? 503 : 200).end(String(attempt))
    })
    const url = `http://127.0.0.1:${await listen(server)}`
    const client = createHttpClient({
      ...{ fetch, connect, backoffBaseMs: 5 },
      guard: createGuard(async () => ['127.0.0.1'], { allowPrivate: true }),
    })
    expect(await (await client.fetch(url, { body: 'x' })).text()).toBe('3')
  })
})

const OK = 'HTTP/1.1 200 OK\r\n'

describe('its answer', () => {
  it.each<[string, (string | Uint8Array)[], string]>([
    ['of a length', [`${OK}Content-Length: 5\r\n\r\nhel`, 'lo and more'], 'hello'],
    ['until the end', [`${OK}\r\n`, 'hel', 'lo'], 'hello'],
    [
      'in chunks, cut anywhere',
      [
        `${OK}Transfer-Enco`,
        'ding: chunked\r\n\r',
        '\n3;x=1\r\nhe',
        'l\r\n02\r',
        '\nlo\r\n0\r\nTrailer: x\r\n\r\n',
      ],
      'hello',
    ],
    [
      'after another that is only for now',
      [`HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}\r\nhello`],
      'hello',
    ],
    ['with ends of lines of one character', ['HTTP/1.0 200\nContent-Length: 5\n\nhello'], 'hello'],
    [
      'packed',
      [
        `${OK}Content-Encoding: gzip\r\n\r\n`,
        gzipSync('hello').subarray(0, 9),
        gzipSync('hello').subarray(9),
      ],
      'hello',
    ],
    [
      'packed in the other way',
      [`${OK}Content-Encoding: deflate\r\n\r\n`, deflateSync('hello')],
      'hello',
    ],
    ['with nothing', ['HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc'], ''],
    ['twice of one length', [`${OK}Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi`], 'hi'],
  ])('is read: %s', async (_, pieces, text) => {
    expect(await (await http.fetch(await raw(pieces), query)).text()).toBe(text)
  })

  it.each<[string, (string | Uint8Array)[]]>([
    ['cut before its length', [`${OK}Content-Length: 100\r\n\r\nhalf`]],
    ['cut within a chunk', [`${OK}Transfer-Encoding: chunked\r\n\r\n9\r\nhalf`]],
    ['cut between chunks', [`${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`]],
    ['of a chunk that is no number', [`${OK}Transfer-Encoding: chunked\r\n\r\n-1\r\nhalf\r\n`]],
    [
      'of a chunk longer than it says',
      [`${OK}Transfer-Encoding: chunked\r\n\r\n1\r\nhalf\r\n0\r\n\r\n`],
    ],
    ['packed and cut', [`${OK}Content-Encoding: gzip\r\n\r\n`, gzipSync('hello').subarray(0, 20)]],
  ])('is CONNECTION_LOST when it is %s', async (_, pieces) => {
    const response = await http.fetch(await raw(pieces), query)
    expect(await codeOf(response.text())).toBe('CONNECTION_LOST')
  })

  it.each<[string, (string | Uint8Array)[]]>([
    ['nothing', []],
    ['another protocol', ['220 mail.example ESMTP\r\n']],
    ['a head without end', [OK, ...Array.from({ length: 20 }, () => 'x'.repeat(4000))]],
    ['headers without end', [OK, 'a: b\r\n'.repeat(600)]],
    ['a header that is none', [`${OK}: x\r\n\r\n`]],
    ['a header with a NUL', [`${OK}a: b\0c\r\n\r\n`]],
    ['a length that is none', [`${OK}Content-Length: five\r\n\r\nhello`]],
    ['two lengths', [`${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`]],
    ['a coding that is not known', [`${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`]],
    ['a packing that was not asked for', [`${OK}Content-Encoding: br\r\n\r\nx`]],
    ['a switch of protocols', ['HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n']],
  ])('is HOST_UNREACHABLE when it is %s', async (_, pieces) => {
    expect(await codeOf(http.fetch(await raw(pieces), query))).toBe('HOST_UNREACHABLE')
  })

  it('is cut at the size cap, counted unpacked', async () => {
    const bomb = [`${OK}Content-Encoding: gzip\r\n\r\n`, gzipSync(Buffer.alloc(5_000_000))]
    const response = await http.fetch(await raw(bomb), { ...query, maxBytes: 100_000 })
    expect(await codeOf(response.text())).toBe('TOO_LARGE')
    const announced = await raw([`${OK}Content-Length: 5000000\r\n\r\n`])
    expect(await codeOf(http.fetch(announced, { ...query, maxBytes: 1000 }))).toBe('TOO_LARGE')
  })

  it('that does not come, or stalls, is a TIMEOUT', async () => {
    const options = { ...query, timeoutMs: 100 }
    expect(await codeOf(http.fetch(await raw([OK], true), options))).toBe('TIMEOUT')
    const response = await http.fetch(await raw([`${OK}\r\nbegin`], true), options)
    expect(await codeOf(response.text())).toBe('TIMEOUT')
  })

  it('is not waited for longer while the connection is being made, which is closed then', async () => {
    let closed = false
    const late: ConnectorContext['connect'] = async (target) => {
      await new Promise((resolve) => setTimeout(resolve, 80))
      return (await connect(target)).on('close', () => {
        closed = true
      })
    }
    const guard = createGuard(async () => ['127.0.0.1'], { allowPrivate: true })
    const client = createHttpClient({ fetch, connect: late, guard })
    const url = await raw([], true)
    expect(await codeOf(client.fetch(url, { ...query, timeoutMs: 20 }))).toBe('TIMEOUT')
    await vi.waitFor(() => expect(closed).toBe(true))
  })

  it('may have any bytes in its headers', async () => {
    const head = Buffer.from(`${OK}X-Name: “ü”\r\n\r\n`)
    const response = await http.fetch(await raw([head, 'x']), query)
    const bytes = Buffer.from(response.headers.get('x-name') ?? '', 'latin1')
    expect(bytes.toString()).toBe('“ü”')
  })

  it('ends with the signal, and with whoever reads it', async () => {
    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('cancelled')), 30)
    const waiting = http.fetch(await raw([], true), { ...query, signal: stop.signal })
    await expect(waiting).rejects.toThrow('cancelled')
    const closed = new Promise<void>((resolve) => {
      const server = createTcpServer((socket) => {
        socket.on('error', () => {}).on('close', () => resolve())
        socket.once('data', () => socket.write(`${OK}\r\nbegin`))
      })
      void listen(server).then(async (port) => {
        const response = await http.fetch(`http://127.0.0.1:${port}/`, query)
        await response.body?.cancel()
      })
    })
    await closed
  })
})
