import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import { syncStub } from '../../src/durable-object/platform.ts'
import { connect, ended, run, start, stream, TENANT } from './harness.ts'

const sampleData = (config: object) => ({ type: 'sample-data', config: { ...config } })
const devNull = (config: object) => ({ type: 'dev-null', config: { ...config } })
const failsOnce = { record: 1500, times: 1, kind: 'transient' }

/** A connection whose last sync says that it has ended before the connection has entered that. */
async function notYetEntered() {
  const { id, connection } = await connect({ source: sampleData({ count: 10 }) })
  const { syncId } = await run(connection)
  await expect.poll(async () => (await connection.get()).lastSync?.syncId).toBe(syncId)
  const object = env.CONNECTION.getByName(`${TENANT}:${id}`)
  await runInDurableObject(object, (_object, state) => {
    state.storage.kv.put('current', { syncId, accepted: true, trigger: 'manual' })
  })
  const enter = () =>
    runInDurableObject(object, (_object, state) => {
      state.storage.kv.delete('current')
    })
  return { connection, enter }
}

describe('a sync', () => {
  it('moves every row of every stream and proves it', async () => {
    const { connection } = await connect({ streams: [stream(), stream({ name: 'all_types' })] })
    const record = await run(connection)
    expect(record).toMatchObject({ status: 'succeeded', rows: 5000 })
    const [users] = record.receipt?.streams ?? []
    expect(users).toMatchObject({ rowsRead: 2500, rowsLoaded: 2500, rowsRejected: 0 })
    expect(users?.rowHash).toMatch(/^[0-9a-f]{32}$/)
    expect(users?.chunks.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256))).toBe(true)
    expect(await connection.receipt(record.syncId)).toEqual(record.receipt)
  })

  it.each(['direct', 'staged'] as const)('proves the same rows when %s', async (transfer) => {
    const { connection } = await connect({ change: { transfer } })
    const { receipt } = await run(connection)
    expect(receipt?.streams[0]).toMatchObject({ transfer, rowsLoaded: 2500 })
    const other = await connect()
    const reference = (await run(other.connection)).receipt
    expect(receipt?.streams[0]?.rowHash).toBe(reference?.streams[0]?.rowHash)
  })

  it.each(['direct', 'staged'] as const)(
    'needs 200 slices and has every row once, %s',
    async (transfer) => {
      const { connection } = await connect({
        source: sampleData({ count: 2000, records_per_slice: 10 }),
        change: { transfer, limits: { sliceRows: 10, chunkBytes: 0 } },
      })
      // Some 400 tasks of the queue, each with a lease: half a second each where much else runs.
      const record = await run(connection, {}, 200_000)
      expect(record).toMatchObject({ status: 'succeeded', rows: 2000 })
      expect(record.receipt?.streams[0]?.chunks).toHaveLength(200)
      const whole = await run((await connect({ source: sampleData({ count: 2000 }) })).connection)
      expect(record.receipt?.streams[0]?.rowHash).toBe(whole.receipt?.streams[0]?.rowHash)
    },
    220_000,
  )

  it('retries what may pass and loads every row once', async () => {
    const { connection } = await connect({
      source: sampleData({ count: 2500, fail_at: failsOnce }),
      change: { limits: { chunkBytes: 0 } },
    })
    const record = await run(connection)
    expect(record).toMatchObject({ status: 'succeeded', rows: 2500 })
  })

  it('recovers the proof of a chunk whose answer was lost', async () => {
    const { connection } = await connect({
      destination: devNull({ fail_at: { when: 'answer', chunk: 2, times: 1 } }),
      change: { limits: { chunkBytes: 0 } },
    })
    const record = await run(connection)
    expect(record).toMatchObject({ status: 'succeeded', rows: 2500 })
    const whole = await run((await connect()).connection)
    expect(record.receipt?.streams[0]?.rowHash).toBe(whole.receipt?.streams[0]?.rowHash)
  })

  it('lets the other streams finish when one fails, and says why', async () => {
    const { connection } = await connect({
      source: sampleData({ count: 500, fail_at: { record: 100, stream: 'users', kind: 'config' } }),
      streams: [stream(), stream({ name: 'products' })],
    })
    const record = await run(connection)
    expect(record.status).toBe('incomplete')
    expect(record.streams.map(({ status }) => status)).toEqual(['failed', 'succeeded'])
    expect(record.streams[0]?.error).toMatchObject({ code: 'AUTH_FAILED', kind: 'config' })
  })

  it('calls a stream incomplete that never said it was complete', async () => {
    const { connection } = await connect({
      source: sampleData({ count: 100, drop_complete: true }),
    })
    const record = await run(connection)
    expect(record.streams[0]).toMatchObject({
      status: 'incomplete',
      error: { code: 'STREAM_INCOMPLETE' },
    })
  })

  it('fails a stream that the source no longer has and moves the others', async () => {
    const { connection } = await connect({ streams: [stream(), stream({ name: 'gone' })] })
    const record = await run(connection)
    expect(record.streams[1]?.error?.code).toBe('STREAM_NOT_FOUND')
    expect(record.streams[0]?.status).toBe('succeeded')
  })

  it('stops when it is cancelled and goes on from there next time', async () => {
    const { connection } = await connect({
      source: sampleData({ count: 2500, stall_at: { record: 1200, ms: 60_000, times: 1 } }),
      streams: [stream({ syncMode: 'incremental', destinationSyncMode: 'append' })],
      change: { limits: { chunkBytes: 0 } },
    })
    const sync = await start(connection)
    await expect.poll(async () => (await sync.get()).rows, { timeout: 10_000 }).toBe(1000)
    await sync.cancel()
    expect(await ended(sync)).toMatchObject({ status: 'cancelled', rows: 1000 })
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 1500 })
  })

  it('lets one sync of a connection run at a time', async () => {
    const { connection } = await connect({
      source: sampleData({ count: 100, stall_at: { record: 50, ms: 1000 } }),
    })
    const sync = await start(connection)
    await expect(start(connection)).rejects.toThrow('SYNC_RUNNING')
    await ended(sync)
  })

  it("is in nobody's way once it says that it has ended, though its connection enters that later", async () => {
    const { connection, enter } = await notYetEntered()
    let isDone = false
    const refreshed = connection.refresh({ remove: false }).then(() => {
      isDone = true
    })
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(isDone).toBe(false)
    await enter()
    await refreshed
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 10 })
  })

  it('that is waited for may leave its connection paused, and nothing begins then', async () => {
    const { connection, enter } = await notYetEntered()
    const started = start(connection).then(
      () => 'started',
      (error: Error) => error.message,
    )
    await new Promise((resolve) => setTimeout(resolve, 300))
    await connection.pause()
    await enter()
    expect(await started).toContain('CONNECTION_PAUSED')
  })

  it('advances two syncs together', async () => {
    const slow = () =>
      connect({
        source: sampleData({ count: 1000, rows_per_second: 500, records_per_slice: 100 }),
        change: { limits: { chunkBytes: 0 } },
      })
    const [a, b] = await Promise.all([slow(), slow()])
    const syncs = [await start(a.connection), await start(b.connection)]
    const bothUnderWay = async () => {
      const records = await Promise.all(syncs.map((sync) => sync.get()))
      expect(records.every(({ rows, endedAt }) => rows > 0 && !endedAt)).toBe(true)
    }
    await vi.waitFor(bothUnderWay, { timeout: 30_000, interval: 30 })
    for (const sync of syncs) expect((await ended(sync)).rows).toBe(1000)
  })

  it('fails a stream whose rejects pass the limit, and keeps the rejected rows', async () => {
    const { id, connection } = await connect({
      destination: devNull({ reject_every: 10 }),
      change: { maxRejects: 20, limits: { chunkBytes: 0 } },
    })
    const record = await run(connection)
    expect(record.streams[0]?.error?.code).toBe('REJECTS_OVER_THRESHOLD')
    const kept = await env.STAGING.list({ prefix: `${TENANT}/rejects/${id}/` })
    expect(kept.objects.length).toBeGreaterThan(0)
  })

  it('removes what it staged', async () => {
    const { connection } = await connect({ change: { transfer: 'staged' } })
    const { syncId } = await run(connection)
    await expect
      .poll(
        async () => (await env.STAGING.list({ prefix: `${TENANT}/staging/${syncId}/` })).objects,
      )
      .toEqual([])
  })

  it('writes a log that says what happened and hides the secrets', async () => {
    const { connection } = await connect({
      source: sampleData({ count: 100, fail_at: { record: 10, kind: 'config' } }),
    })
    const record = await run(connection)
    const { lines } = await syncStub(env, TENANT, record.syncId).logs({
      limit: 100,
      level: 'error',
    })
    expect(lines.some(({ message }) => message.startsWith('AUTH_FAILED'))).toBe(true)
  })
})

describe('a connection', () => {
  const incremental = stream({ syncMode: 'incremental', destinationSyncMode: 'append' })

  it('moves only what is new in the second incremental sync', async () => {
    const { connection, source } = await connect({
      source: sampleData({ count: 1000 }),
      streams: [incremental],
    })
    expect(await run(connection)).toMatchObject({ rows: 1000 })
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 0 })
    await source.update({ config: { count: 1010 } })
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 10 })
  })

  it('reads everything again after a refresh', async () => {
    const { connection } = await connect({ streams: [incremental] })
    await run(connection)
    await connection.refresh({ remove: true })
    expect(await connection.state()).toEqual([])
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 2500 })
  })

  it('takes a state that was set by hand', async () => {
    const { connection } = await connect({ streams: [incremental] })
    await run(connection)
    const [saved] = await connection.state()
    await connection.refresh({ remove: false })
    if (!saved) throw new Error('no state')
    await connection.setState([saved])
    expect(await run(connection)).toMatchObject({ status: 'succeeded', rows: 0 })
  })

  it('holds an empty overwrite over a table that has rows until it is accepted', async () => {
    const { connection, source } = await connect()
    await run(connection)
    await source.update({ config: { empty: true } })
    const held = await run(connection)
    expect(held.status).toBe('incomplete')
    expect(held.streams[0]?.error?.code).toBe('EMPTY_OVERWRITE_HELD')
    const accepted = await run(connection, { acceptEmpty: true })
    expect(accepted.status).toBe('succeeded')
    expect(accepted.receipt?.warnings[0]?.code).toBe('EMPTY_FULL_REFRESH')
  })

  it('continues the generation of a full refresh that failed', async () => {
    const { connection } = await connect({
      source: sampleData({ count: 2500, fail_at: { record: 2000, kind: 'config', times: 1 } }),
      change: { limits: { chunkBytes: 0 } },
    })
    const failed = await run(connection)
    expect(failed.receipt?.streams[0]).toMatchObject({ rowsLoaded: 2000, generationId: 1 })
    const next = await run(connection)
    expect(next.receipt?.streams[0]).toMatchObject({ rowsLoaded: 500, generationId: 1 })
    expect((await run(connection)).receipt?.streams[0]).toMatchObject({ generationId: 2 })
  })

  it('pauses itself after five config failures in a row', async () => {
    const { connection } = await connect({
      source: sampleData({ count: 10, fail_at: { record: 1, kind: 'config' } }),
    })
    for (let i = 0; i < 5; i++) await run(connection)
    expect(await connection.get()).toMatchObject({
      status: 'paused',
      pausedReason: { code: 'AUTH_FAILED' },
    })
    await expect(start(connection)).rejects.toThrow('CONNECTION_PAUSED')
    expect(await connection.resume()).toMatchObject({ status: 'active' })
  })

  it('says when a full refresh has far fewer rows than before', async () => {
    const { connection, source } = await connect({ source: sampleData({ count: 1000 }) })
    expect((await run(connection)).receipt?.warnings).toEqual([])
    await source.update({ config: { count: 10 } })
    expect((await run(connection)).receipt?.warnings).toMatchObject([{ code: 'FEWER_ROWS' }])
  })

  it('says when a stream is quieter than its history predicts', async () => {
    const { id, connection } = await connect({
      source: sampleData({ count: 10 }),
      streams: [incremental],
    })
    await run(connection)
    expect((await run(connection)).receipt?.warnings).toEqual([])
    await runInDurableObject(env.CONNECTION.getByName(`${TENANT}:${id}`), (_object, state) => {
      const anHourAgo = Date.now() - 3_600_000
      state.storage.sql.exec(
        'update streams set active_syncs = 5, longest_gap = 60000, last_rows_at = ?',
        anHourAgo,
      )
    })
    expect((await run(connection)).receipt?.warnings).toMatchObject([{ code: 'QUIET_STREAM' }])
  })

  it('keeps record and log of a sync after its object is gone', async () => {
    const { connection } = await connect()
    const { receipt: _receipt, ...record } = await run(connection)
    const sync = syncStub(env, TENANT, record.syncId)
    const log = await sync.logs({ limit: 10, level: 'info' })
    expect(log.lines.map(({ message }) => message)).toContain('complete: 2500 rows loaded')
    await expect
      .poll(
        async () =>
          (await env.STAGING.list({ prefix: `${TENANT}/syncs/${record.syncId}` })).objects,
      )
      .toHaveLength(1)
    await runInDurableObject(env.SYNC.getByName(`${TENANT}:${record.syncId}`), (_object, state) => {
      state.storage.sql.exec('delete from logs')
      state.storage.kv.delete('sync')
    })
    expect(await sync.get()).toEqual(record)
    expect(await sync.logs({ limit: 10, level: 'info' })).toEqual(log)
  })
})
