import { env } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import { r2Store } from '../../src/staging/r2-store.ts'
import { objectStoreSuite } from './object-store-suite.ts'

let opened = 0
objectStoreSuite('R2 store', () => r2Store(env.STAGING, `tenant-${++opened}/`))

it('keeps tenants of one bucket apart', async () => {
  const [one, two] = [r2Store(env.STAGING, 'one/'), r2Store(env.STAGING, 'two/')]
  await one.put('k', 'mine')
  expect(await two.get('k')).toBeNull()
  expect((await two.list('')).objects).toEqual([])
})
