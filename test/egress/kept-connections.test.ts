import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createNodeContext } from '../../src/egress/node-context.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const HELLO = `${OK}Content-Length: 5\r\n\r\nhello`
const PARTED = `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: x\r\n\r\n`

let server: Server | undefined
afterEach(() => {
  server?.close()
})

/** A server that answers each request by what `answer` writes; what came over which connection. */
async function serve(answer: (socket: Socket, request: number) => void) {
  const seen: string[] = []
  let connections = 0
  const sockets = new Set<Socket>()
  const listening = createServer((socket) => {
    const connection = ++connections
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      seen.push(`${connection} ${bytes.toString().split(' ')[0]}`)
      answer(socket, seen.length)
    })
  })
  server = listening
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  const { port } = listening.address() as AddressInfo
  const { http } = createNodeContext({ keepsConnections: true })
  const ask = async (init: { method?: string; body?: string } = {}) => {
    const response = await http.fetch(`http://127.0.0.1:${port}/`, { ...init, attempts: 1 })
    return response.text()
  }
  return { ask, seen, sockets }
}

/** Until what the other side did has arrived. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 50))

describe('a connection', () => {
  it.each([
    ['of a length', HELLO],
    ['in chunks, with trailers', PARTED],
  ])('carries one request after another, when answers are whole: %s', async (_, answer) => {
    const { ask, seen } = await serve((socket) => socket.write(answer))
    for (let i = 0; i < 3; i++) expect(await ask()).toBe('hello')
    expect(seen).toEqual(['1 GET', '1 GET', '1 GET'])
  })

  it('carries one at a time', async () => {
    const { ask, seen } = await serve((socket) => socket.write(HELLO))
    expect(await Promise.all([ask(), ask()])).toEqual(['hello', 'hello'])
    expect(seen.sort()).toEqual(['1 GET', '2 GET'])
  })

  it('is not used again after an answer without a body was followed by one', async () => {
    const { ask, seen } = await serve((socket) =>
      socket.write('HTTP/1.1 204 No Content\r\n\r\nsmuggled'),
    )
    expect([await ask(), await ask()]).toEqual(['', ''])
    expect(seen).toEqual(['1 GET', '2 GET'])
  })

  it.each([
    ['says that it closes', `${OK}Connection: close\r\nContent-Length: 5\r\n\r\nhello`],
    ['is of an older HTTP', 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
    ['is longer than it says', `${HELLO} and more`],
  ])('is not used again when the answer %s', async (_, answer) => {
    const { ask, seen } = await serve((socket) => socket.write(answer))
    expect([await ask(), await ask()]).toEqual(['hello', 'hello'])
    expect(seen).toEqual(['1 GET', '2 GET'])
  })

  it('is not used again when something came that nobody asked for', async () => {
    const { ask, seen, sockets } = await serve((socket) => socket.write(HELLO))
    await ask()
    for (const socket of sockets) socket.write(HELLO)
    await settled()
    expect(await ask()).toBe('hello')
    expect(seen).toEqual(['1 GET', '2 GET'])
  })

  it('that the server has closed is opened anew', async () => {
    const { ask, seen } = await serve((socket) => socket.end(HELLO))
    await ask()
    await settled()
    expect(await ask()).toBe('hello')
    expect(seen).toEqual(['1 GET', '2 GET'])
  })

  it('that the server closes as it is asked is opened anew', async () => {
    const { ask, seen } = await serve((socket, request) => {
      if (request === 2) socket.destroy()
      else socket.write(HELLO)
    })
    expect([await ask(), await ask()]).toEqual(['hello', 'hello'])
    expect(seen).toEqual(['1 GET', '1 GET', '2 GET'])
  })

  it('that closes within an answer is not asked again: the server has seen the request', async () => {
    const { ask, seen } = await serve((socket, request) => {
      if (request === 2) socket.end('HTTP/1.1 200')
      else socket.write(HELLO)
    })
    await ask()
    await expect(ask()).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' })
    expect(seen).toEqual(['1 GET', '1 GET'])
  })

  it('of its own carries what must not be sent twice', async () => {
    const { ask, seen } = await serve((socket) => socket.write(HELLO))
    await ask()
    await ask({ method: 'POST', body: 'x' })
    expect(seen).toEqual(['1 GET', '2 POST'])
  })
})
