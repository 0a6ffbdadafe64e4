import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createNodeContext } from '../../src/egress/node-context.ts'
import { deliver } from '../../src/notifications/deliver.ts'
import { newSecret } from '../../src/notifications/signature.ts'

const received: { path: string; headers: IncomingHttpHeaders; body: string }[] = []
let server: Server
let url: string

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    received.push({ path: request.url ?? '', headers: request.headers, body })
    if (request.url === '/elsewhere') response.writeHead(307, { location: '/ok' }).end()
    else response.writeHead(request.url === '/broken' ? 500 : 204).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

const secret = newSecret()
const send = (path: string, allowPrivate = true) => {
  const { http } = createNodeContext({ allowPrivate })
  return deliver(http, { url: url + path, secret, id: 'event-1', body: '{"type":"test"}' })
}

it('signs id, time and body so that a receiver can tell', async () => {
  expect(await send('/ok')).toEqual({ ok: true, httpStatus: 204 })
  const { headers, body } = received.at(-1) as (typeof received)[number]
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const time = headers['webhook-timestamp']
  const signed = createHmac('sha256', key).update(`event-1.${time}.${body}`).digest('base64')
  expect(headers['webhook-signature']).toBe(`v1,${signed}`)
  expect(headers['webhook-id']).toBe('event-1')
  expect(Math.abs(Date.now() / 1000 - Number(time))).toBeLessThan(60)
})

it('tries once and reports what came back', async () => {
  const before = received.length
  expect(await send('/broken')).toEqual({ ok: false, httpStatus: 500, error: 'answered 500' })
  expect(received.length).toBe(before + 1)
})

it('follows no redirect', async () => {
  const before = received.length
  expect(await send('/elsewhere')).toMatchObject({ ok: false, httpStatus: 307 })
  expect(received.slice(before).map(({ path }) => path)).toEqual(['/elsewhere'])
})

it('reaches no private address unless those are allowed, and does not repeat the address', async () => {
  const before = received.length
  expect(await send('/secret-path', false)).toEqual({ ok: false, error: 'EGRESS_REFUSED' })
  expect(received.length).toBe(before)
})
