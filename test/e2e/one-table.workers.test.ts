/** Two connections that meet in one table although each has a destination of its own. */
import { expect, it } from 'vitest'
import { closePostgres } from '../../src/runtime/postgres/client.ts'
import { openDatabase, postgresConfig, workspace } from './workspace.ts'

const postgres = () => ({ type: 'postgres', config: postgresConfig({ schema: 'e2e_shared' }) })

it('is refused to the second in PostgreSQL, and nothing of the first is changed', () =>
  expectRefused(postgres))

it('is refused to the second in the warehouse', () =>
  expectRefused(() => ({ type: 'r2', config: {} })))

async function expectRefused(destination: () => { type: string; config: object }): Promise<void> {
  const db = await openDatabase()
  await db.query('drop schema if exists e2e_shared cascade')
  await closePostgres(db)
  const ws = await workspace('shared')
  for (const n of [1, 2]) {
    await ws.must('POST', '/sources', {
      ...{ name: `s${n}`, type: 'sample-data', config: { count: 10 * n, seed: n } },
    })
    await ws.must('POST', '/destinations', { name: `d${n}`, ...destination() })
  }
  const connect = (n: number) =>
    ws.api('POST', '/connections', {
      ...{ name: `c${n}`, source: `s${n}`, destination: `d${n}`, namespace: 'e2e_shared' },
      streams: [{ name: 'users', destinationSyncMode: 'overwrite' }],
    })
  expect((await connect(1)).status).toBe(200)
  expect(await ws.sync('c1')).toMatchObject({ status: 'succeeded' })
  const second = await connect(2)
  const error = second.status === 200 ? (await ws.sync('c2')).error : second.body.error
  expect(error).toMatchObject({ code: 'TABLE_TAKEN' })
  expect(error.hint).toBeTruthy()
  const verified = await ws.must('POST', '/connections/c1/verify', { level: 'hash' })
  expect(verified, JSON.stringify(verified)).toMatchObject({ ok: true })
}
