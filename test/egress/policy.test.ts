import { describe, expect, it } from 'vitest'
import { createEgress, type EgressHost } from '../../src/egress/index.ts'
import { createGuard } from '../../src/egress/policy.ts'
import { platformResolver } from '../../src/egress/resolvers.ts'

const NAMES: Record<string, string[]> = {
  'public.example': ['93.184.216.34', '2606:4700::1'],
  'intranet.example': ['10.0.0.5'],
  'mixed.example': ['93.184.216.34', '127.0.0.1'],
  'metadata.example': ['169.254.169.254'],
  'empty.example': [],
}
const resolve = async (name: string) => {
  const found = NAMES[name]
  if (!found) throw new Error('NXDOMAIN')
  return found
}
const hosted = createGuard(resolve, { allowPrivate: false })
const local = createGuard(resolve, { allowPrivate: true })

describe('hosted', () => {
  it.each([
    ...[
      'https://127.0.0.1/',
      'https://[::1]/',
      'https://0.0.0.0/',
      'https://169.254.169.254/latest',
    ],
    ...['https://2130706433/', 'https://0177.0.0.1/', 'https://0x7f.1/', 'https://localhost/'],
    ...[
      'https://a.localhost/',
      'https://[::ffff:127.0.0.1]/',
      'https://100.64.0.1/',
      'https://[fd00::8]/',
    ],
    ...['https://intranet.example/', 'https://mixed.example/', 'https://metadata.example/'],
    ...[
      'http://public.example/',
      'file:///etc/passwd',
      'gopher://public.example/',
      'data:text/plain,x',
    ],
  ])('refuses %s', async (url) => {
    await expect(hosted.checkUrl(new URL(url))).rejects.toMatchObject({ code: 'EGRESS_REFUSED' })
  })

  it('names the host and the address it stands for', async () => {
    await expect(hosted.checkUrl(new URL('https://intranet.example/x'))).rejects.toThrow(
      "'intranet.example' (10.0.0.5) is in a private network.",
    )
  })

  it('allows public names over https', async () => {
    await expect(hosted.checkUrl(new URL('https://public.example/'))).resolves.toBeUndefined()
  })

  it.each(['https://unknown.example/', 'https://empty.example/'])(
    'closes when %s has no address',
    (url) =>
      expect(hosted.checkUrl(new URL(url))).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' }),
  )

  it('does not take a name that the platform would resolve unseen', async () => {
    const guard = createGuard(platformResolver, { allowPrivate: false })
    await expect(guard.addressesOf('db')).rejects.toMatchObject({ code: 'EGRESS_REFUSED' })
  })
})

it('asks for a name once in a while, not at every request', async () => {
  let asked = 0
  const guard = createGuard(
    async () => {
      asked++
      return ['93.184.216.34']
    },
    { allowPrivate: false },
  )
  for (let i = 0; i < 3; i++) await guard.checkUrl(new URL('https://public.example/'))
  expect(asked).toBe(1)
})

describe('local', () => {
  it('opens loopback, private networks and plain http', async () => {
    await local.checkUrl(new URL('http://127.0.0.1:8080/'))
    await local.checkUrl(new URL('http://intranet.example/'))
    await local.checkUrl(new URL('http://localhost/'))
  })

  it.each(['http://169.254.169.254/', 'http://0.0.0.0/', 'https://metadata.example/'])(
    'still refuses %s',
    async (url) => {
      await expect(local.checkUrl(new URL(url))).rejects.toMatchObject({ code: 'EGRESS_REFUSED' })
    },
  )

  it('leaves names of the machine to the platform, but not the metadata service', async () => {
    const guard = createGuard(platformResolver, { allowPrivate: true })
    expect(await guard.addressesOf('db')).toEqual(['db'])
    await expect(guard.addressesOf('metadata.google.internal')).rejects.toMatchObject({
      code: 'EGRESS_REFUSED',
    })
  })
})

describe('connect', () => {
  const opened: string[] = []
  const host: EgressHost = {
    fetch,
    resolve,
    openSocket: async (address) => {
      opened.push(address.host)
      throw new Error('stop here')
    },
  }

  it('hands the platform the address that was checked, never the name', async () => {
    const { connect } = createEgress(host, { allowPrivate: false })
    await expect(connect({ host: 'public.example', port: 5432 })).rejects.toThrow(
      'public.example:5432',
    )
    expect(opened).toEqual(['93.184.216.34', '2606:4700::1'])
  })

  it('does not open a socket to a refused host', async () => {
    opened.length = 0
    const { connect } = createEgress(host, { allowPrivate: false })
    for (const target of ['127.0.0.1', '::1', '0x7f.1', 'mixed.example', 'a b'])
      await expect(connect({ host: target, port: 5432 })).rejects.toMatchObject({
        code: 'EGRESS_REFUSED',
      })
    expect(opened).toEqual([])
  })
})
