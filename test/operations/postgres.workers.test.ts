import { env } from 'cloudflare:workers'
import { beforeAll, expect, it } from 'vitest'
import { serverFields } from '../support/server-fields.ts'
import { callerOf } from './support.ts'

const config = {
  ...serverFields((env as unknown as { PG_URL: string }).PG_URL),
  ssl_mode: { mode: 'disable' },
}
const call = callerOf(env, 'pg-operations')

beforeAll(async () => {
  await call('sources.create', { name: 'db', type: 'postgres', config })
})

it('checks a database with the stored password', async () => {
  expect(await call('sources.check', { source: 'db' })).toEqual({ ok: true })
})

it('says that a password is wrong, what to do, and never the password', async () => {
  const wrong = { ...config, password: 'canary-wrong-password' }
  await call('sources.create', { name: 'wrong', type: 'postgres', config: wrong })
  const answer = await call('sources.check', { source: 'wrong' })
  expect(answer).toMatchObject({ ok: false, problem: { code: 'AUTH_FAILED' } })
  expect(JSON.stringify(answer)).not.toContain('canary')
})

it('says that nobody answers at a host', async () => {
  const away = { ...config, port: 9 }
  await call('sources.create', { name: 'away', type: 'postgres', config: away })
  expect(await call('sources.check', { source: 'away' })).toMatchObject({
    ...{ ok: false, problem: { code: 'HOST_UNREACHABLE' } },
  })
  await expect(call('sources.discover', { source: 'away' })).rejects.toMatchObject({
    code: 'HOST_UNREACHABLE',
  })
})

it('discovers and previews its tables', async () => {
  const { streams } = await call('sources.discover', { source: 'db', refresh: true })
  expect(Array.isArray(streams)).toBe(true)
  await expect(
    call('sources.preview', { source: 'db', stream: 'no_such_table' }),
  ).rejects.toMatchObject({ code: 'STREAM_NOT_FOUND' })
})
