import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { runTask } from '../../src/core/sync-engine/run-task.ts'
import { connectionStub } from '../../src/durable-object/platform.ts'
import { taskHost } from '../../src/durable-object/queue.ts'
import type { SyncDO } from '../../src/durable-object/SyncDO.ts'
import { connect, ended, run, start, stream, TENANT } from './harness.ts'

const SLOW = { type: 'sample-data', config: { count: 1000, records_per_slice: 100 } }

/** Takes the claim of the read task away from whoever has it, as if its lease had run out long ago. */
const supersede = (syncId: number, change = '') =>
  runInDurableObject(objectOf(env.SYNC, syncId), (_object, state) => {
    state.storage.sql.exec(
      `update tasks set fence = fence + 1, lease_until = 0 ${change} where kind = 'read'`,
    )
  })

/** Somebody has claimed the read task: before that there is no claim to take away. */
const isBeingRead = (syncId: number) =>
  runInDurableObject(objectOf(env.SYNC, syncId), (_object, state) => {
    const query = `select 1 from tasks where kind = 'read' and status = 'claimed'`
    return state.storage.sql.exec(query).toArray().length > 0
  })

/** The object behind a stub, for evicting it or ringing its alarm. */
const objectOf = (namespace: DurableObjectNamespace, id: string | number) =>
  namespace.getByName(`${TENANT}:${id}`)

describe('recovery', () => {
  it('takes over from a worker that claimed a task and died', async () => {
    const { connection } = await connect({
      source: {
        ...SLOW,
        config: { ...SLOW.config, stall_at: { record: 0, ms: 60_000, times: 1 } },
      },
    })
    const sync = await start(connection)
    const { syncId } = await sync.get()
    await expect.poll(() => isBeingRead(syncId), { timeout: 10_000 }).toBe(true)
    // The stalled slice is as good as dead: nobody hears of it, and its lease runs out.
    await supersede(syncId)
    expect(await ended(sync)).toMatchObject({ status: 'succeeded', rows: 1000 })
  })

  it('ignores wake-ups that come twice, late or for work that is done', async () => {
    const { connection } = await connect()
    const record = await run(connection)
    const host = taskHost(env, TENANT, record.syncId)
    await Promise.all(
      ['plan', 'read:users', 'finish:users', 'nothing'].map((id) => runTask(host, id)),
    )
    expect(await host.sync.claim('read:users')).toBeNull()
  })

  it('refuses reports of a superseded claim', async () => {
    const { connection } = await connect({
      source: {
        ...SLOW,
        config: { ...SLOW.config, stall_at: { record: 500, ms: 4000, times: 1 } },
      },
    })
    const sync = await start(connection)
    const { syncId } = await sync.get()
    await expect.poll(() => isBeingRead(syncId), { timeout: 10_000 }).toBe(true)
    const end = { state: {}, complete: true }
    await runInDurableObject<SyncDO, void>(objectOf(env.SYNC, syncId) as never, async (object) => {
      await expect(object.advanced('read:users', 1, end)).rejects.toThrow('FENCE_LOST')
      await expect(object.done('read:users', 1)).rejects.toThrow('FENCE_LOST')
    })
    expect(await ended(sync)).toMatchObject({ rows: 1000 })
  })

  it('gives a stream up that three workers died on, and says so', async () => {
    const { connection } = await connect({
      source: { ...SLOW, config: { ...SLOW.config, stall_at: { record: 0, ms: 60_000 } } },
    })
    const sync = await start(connection)
    const { syncId } = await sync.get()
    await expect.poll(() => isBeingRead(syncId), { timeout: 10_000 }).toBe(true)
    await supersede(syncId, ', attempts = 3')
    expect(await ended(sync)).toMatchObject({
      status: 'failed',
      error: { code: 'NO_PROGRESS', kind: 'system' },
    })
  })

  it('goes on after the object was evicted in the middle', async () => {
    const { connection } = await connect({
      source: { ...SLOW, config: { ...SLOW.config, rows_per_second: 500 } },
      change: { limits: { chunkBytes: 0 } },
    })
    const sync = await start(connection)
    await expect.poll(async () => (await sync.get()).rows, { timeout: 5000 }).toBeGreaterThan(0)
    await evictDurableObject(objectOf(env.SYNC, (await sync.get()).syncId))
    expect(await ended(sync)).toMatchObject({ status: 'succeeded', rows: 1000 })
  })
})

describe('a schedule', () => {
  it('starts a sync when it is due, and plans the next one', async () => {
    const { id, connection } = await connect({
      change: { schedule: { type: 'interval', seconds: 3600 } },
    })
    const due = (await connection.get()).nextRunAt as number
    expect(due).toBeGreaterThan(Date.now() + 3_500_000)
    await runInDurableObject(objectOf(env.CONNECTION, id), (_object, state) => {
      const record = state.storage.kv.get<{ nextRunAt: number }>('connection')
      state.storage.kv.put('connection', { ...record, nextRunAt: Date.now() - 1 })
    })
    await runDurableObjectAlarm(objectOf(env.CONNECTION, id))
    await expect
      .poll(async () => (await connectionStub(env, TENANT, id).get()).lastSync?.status, {
        timeout: 10_000,
      })
      .toBe('succeeded')
    expect((await connection.get()).nextRunAt).toBeGreaterThan(Date.now() + 3_500_000)
  })

  it('is kept while the sync cannot be begun', async () => {
    const { id, connection, source } = await connect()
    await source.destroy()
    await expect(start(connection)).rejects.toThrow('NOT_FOUND')
    const object = objectOf(env.CONNECTION, id)
    const rings = () => runInDurableObject(object, (_object, state) => state.storage.getAlarm())
    expect(await runDurableObjectAlarm(object)).toBe(true)
    expect(await rings()).toBeGreaterThan(Date.now())
    const config = { count: 10 }
    await source.create({ tenantId: TENANT, id, name: id, type: 'sample-data', config })
    await runDurableObjectAlarm(object)
    await expect
      .poll(async () => (await connection.get()).lastSync?.rows, { timeout: 10_000 })
      .toBe(10)
  })

  it('does not run while the connection is paused', async () => {
    const { connection } = await connect({
      streams: [stream()],
      change: { schedule: { type: 'cron', cron: '*/5 * * * *', timezone: 'UTC' } },
    })
    expect((await connection.get()).nextRunAt).toBeDefined()
    expect((await connection.pause()).nextRunAt).toBeUndefined()
    expect((await connection.resume()).nextRunAt).toBeDefined()
  })
})
