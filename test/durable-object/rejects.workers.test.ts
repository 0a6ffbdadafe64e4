import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import { armFaultPoint } from '../../src/core/fault-points.ts'
import { AirbyteError } from '../../src/protocol/index.ts'
import { connect, ended, run, settled, start, TENANT } from './harness.ts'

const DAY_MS = 24 * 3600 * 1000
const rejecting = { type: 'dev-null', config: { reject_every: 100 } }

const rejectsOf = async (id: string) =>
  (await env.STAGING.list({ prefix: `${TENANT}/rejects/${id}/` })).objects.length

const syncObject = (syncId: number) => env.SYNC.getByName(`${TENANT}:${syncId}`)

/** Rings the alarm of an ended sync as if some days had passed; says when it is to ring again. */
async function after(days: number, syncId: number): Promise<number | null> {
  await runInDurableObject(syncObject(syncId), async (_object, state) => {
    const sync = state.storage.kv.get<{ endedAt: number }>('sync')
    state.storage.kv.put('sync', { ...sync, endedAt: Date.now() - days * DAY_MS })
    await state.storage.setAlarm(Date.now() + DAY_MS)
  })
  await runDurableObjectAlarm(syncObject(syncId))
  return runInDurableObject(syncObject(syncId), (_object, state) => state.storage.getAlarm())
}

const isErased = (syncId: number) =>
  runInDurableObject(syncObject(syncId), (_object, state) => !state.storage.kv.get('sync'))

it('keeps rejected rows for thirty days, and the object of their sync with them', async () => {
  const { id, connection } = await connect({ destination: rejecting })
  const { syncId } = await run(connection)
  expect(await rejectsOf(id)).toBeGreaterThan(0)
  const due = Number(await after(8, syncId)) - Date.now()
  expect(due / DAY_MS).toBeCloseTo(22, 1)
  expect(await rejectsOf(id)).toBeGreaterThan(0)
  await after(31, syncId)
  expect(await rejectsOf(id)).toBe(0)
  expect(await isErased(syncId)).toBe(true)
})

it('erases a sync without rejected rows after seven days', async () => {
  const { connection } = await connect()
  const { syncId } = await run(connection)
  await after(6, syncId)
  expect(await isErased(syncId)).toBe(false)
  await after(8, syncId)
  expect(await isErased(syncId)).toBe(true)
})

it('erases a sync a day later where what is staged cannot be reached', async () => {
  const { connection } = await connect()
  const { syncId } = await run(connection)
  const list = async () => {
    throw new Error('R2 is away')
  }
  await runInDurableObject(syncObject(syncId), (object) => {
    Object.assign(object, { env: { ...env, STAGING: { list } } })
  })
  await expect(after(8, syncId)).rejects.toThrow('R2 is away')
  const due = await runInDurableObject(syncObject(syncId), (_, { storage }) => storage.getAlarm())
  expect((Number(due) - Date.now()) / DAY_MS).toBeCloseTo(1, 1)
  expect(await isErased(syncId)).toBe(false)
})

it('removes the rejected rows of a connection that is destroyed, and of no other', async () => {
  const one = await connect({ destination: rejecting })
  const other = await connect({ destination: rejecting })
  await run(one.connection)
  await run(other.connection)
  await one.connection.destroy()
  expect(await rejectsOf(one.id)).toBe(0)
  expect(await rejectsOf(other.id)).toBeGreaterThan(0)
})

it.each(['direct', 'staged'] as const)(
  'knows what was rejected of a chunk whose worker died after the commit, %s',
  async (transfer) => {
    const { id, connection } = await connect({ destination: rejecting, change: { transfer } })
    let isCommitted = false
    armFaultPoint('load.committed', 1, async () => {
      isCommitted = true
      // Whoever has lost a claim goes without a word.
      throw new AirbyteError('FENCE_LOST', 'the worker died')
    })
    const sync = await start(connection)
    const { syncId } = await sync.get()
    await expect.poll(() => isCommitted, { timeout: 10_000 }).toBe(true)
    await runInDurableObject(syncObject(syncId), (_object, state) => {
      state.storage.sql.exec(
        `update tasks set fence = fence + 1, lease_until = 0 where status = 'claimed'`,
      )
    })
    await runDurableObjectAlarm(syncObject(syncId))
    await ended(sync)
    await settled(connection, syncId)
    const receipt = await connection.receipt(syncId)
    expect(receipt).toMatchObject({ streams: [{ rowsLoaded: 2475, rowsRejected: 25 }] })
    expect(await rejectsOf(id)).toBe(1)
  },
)
