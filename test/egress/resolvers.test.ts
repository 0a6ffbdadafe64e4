import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { dohResolver } from '../../src/egress/resolvers.ts'

const ZONE: Record<string, Record<string, unknown>> = {
  'two.example 1': {
    Status: 0,
    Answer: [
      { type: 5, data: 'alias.example.' },
      { type: 1, data: '93.184.216.34' },
    ],
  },
  'two.example 28': { Status: 0, Answer: [{ type: 28, data: '2606:4700::1' }] },
  'v4.example 1': { Status: 0, Answer: [{ type: 1, data: '93.184.216.34' }] },
  'v4.example 28': { Status: 0 },
  'gone.example 1': { Status: 3 },
  'gone.example 28': { Status: 3 },
  'half.example 1': { Status: 0, Answer: [{ type: 1, data: '93.184.216.34' }] },
  'half.example 28': { Status: 2 },
}

let server: Server
let url: string
beforeAll(async () => {
  server = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams
    const answer = ZONE[`${query.get('name')} ${query.get('type')}`]
    response.writeHead(answer ? 200 : 500).end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dns-query`
})
afterAll(() => void server.close())

it.each([
  ['two.example', ['93.184.216.34', '2606:4700::1']],
  ['v4.example', ['93.184.216.34']],
  ['gone.example', []],
])('resolves %s to %j', async (name, addresses) => {
  expect(await dohResolver(fetch, url)(name)).toEqual(addresses)
})

it.each(['half.example', 'unknown.example'])(
  'gives no answer for %s when half of it is missing',
  (name) =>
    expect(dohResolver(fetch, url)(name)).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' }),
)
