import { expect, it } from 'vitest'
import { ConnectorCache } from '../../src/core/connector-cache.ts'

const MIB = 1024 * 1024
const loaded =
  (connector: string, bytes = 10) =>
  async () => ({ connector, bytes })

it('loads once for all who ask at the same time, and for those who come later', async () => {
  const cache = new ConnectorCache<string>()
  let loads = 0
  const load = async () => {
    loads++
    return { connector: 'x', bytes: 1 }
  }
  expect(await Promise.all([cache.get('a', load), cache.get('a', load)])).toEqual(['x', 'x'])
  await cache.get('a', load)
  expect(loads).toBe(1)
})

it('does not keep a failure', async () => {
  const cache = new ConnectorCache<string>()
  const fail = () => cache.get('a', () => Promise.reject(new Error('gone')))
  await expect(fail()).rejects.toThrow('gone')
  expect(await cache.get('a', loaded('x'))).toBe('x')
})

it('lets the least recently used go when what it holds is large', async () => {
  const cache = new ConnectorCache<string>()
  for (const key of ['a', 'b', 'a', 'c']) await cache.get(key, loaded(key, 1.2 * MIB))
  expect(cache.size).toBe(2)
  expect(await cache.get('a', loaded('again'))).toBe('a')
  expect(await cache.get('b', loaded('again'))).toBe('again')
})

it('holds the newest, however large it is', async () => {
  const cache = new ConnectorCache<string>()
  await cache.get('a', loaded('a', 50 * MIB))
  expect(await cache.get('a', loaded('again'))).toBe('a')
})
