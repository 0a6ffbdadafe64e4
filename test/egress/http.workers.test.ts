import { connect } from 'cloudflare:sockets'
import { expect, inject, it } from 'vitest'
import { createEgress } from '../../src/egress/index.ts'
import { platformResolver } from '../../src/egress/resolvers.ts'
import { workerdEgressHost } from '../../src/egress/workerd-host.ts'

const host = workerdEgressHost({ connect, resolver: platformResolver })
const { http } = createEgress(host, { allowPrivate: true })
const url = (path: string) => `${inject('httpUrl')}${path}`

it('rides out a server that is down for a moment', async () => {
  expect(await (await http.fetch(url('/flaky'))).text()).toBe('recovered')
})

it('unpacks a compressed body', async () => {
  expect(await (await http.fetch(url('/gzip'))).json()).toEqual({ packed: true })
})

it('sends a body with GET, which fetch itself does not', async () => {
  const response = await http.fetch(url('/echo'), { body: '{"a":"ü"}' })
  expect([response.headers.get('x-method'), await response.json()]).toEqual(['GET', { a: 'ü' }])
  const packed = await http.fetch(url('/gzip'), { body: '{}' })
  expect(await packed.json()).toEqual({ packed: true })
})

it.each([
  ['/large', 'TOO_LARGE'],
  ['/cut', 'CONNECTION_LOST'],
  ['/stall', 'TIMEOUT'],
])('ends the body of a GET with a body to %s with %s', async (path, code) => {
  const limits = { maxBytes: 500_000, timeoutMs: 200 }
  const response = await http.fetch(url(path), { body: '{}', ...limits })
  await expect(response.text()).rejects.toMatchObject({ code })
})

it('follows a redirect and tells where it ended', async () => {
  const response = await http.fetch(url('/redirect'))
  expect([response.url, await response.text()]).toEqual([url('/plain'), 'plain'])
})

it('refuses a redirect to the metadata service', async () => {
  await expect(http.fetch(url('/metadata'))).rejects.toMatchObject({ code: 'EGRESS_REFUSED' })
})

it('refuses private addresses when hosted', async () => {
  const hosted = createEgress(host, { allowPrivate: false })
  const https = url('/plain').replace('http:', 'https:')
  await expect(hosted.http.fetch(https)).rejects.toMatchObject({ code: 'EGRESS_REFUSED' })
})

it.each([
  ['/large', 'TOO_LARGE'],
  ['/cut', 'CONNECTION_LOST'],
  ['/stall', 'TIMEOUT'],
])('ends the body of %s with %s', async (path, code) => {
  const response = await http.fetch(url(path), { maxBytes: 500_000, timeoutMs: 200 })
  await expect(response.text()).rejects.toMatchObject({ code })
})

it('does not wait for headers for ever', async () => {
  await expect(http.fetch(url('/silent'), { timeoutMs: 100, attempts: 1 })).rejects.toMatchObject({
    code: 'TIMEOUT',
  })
})

it('names the host that refuses connections', async () => {
  await expect(http.fetch('http://127.0.0.1:1/', { attempts: 1 })).rejects.toMatchObject({
    code: 'HOST_UNREACHABLE',
  })
})
