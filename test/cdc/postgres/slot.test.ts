import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { type RunningPostgres, startPostgres } from '../../../scripts/lib/embedded-postgres.ts'
import {
  type CdcPosition,
  checkServer,
  dropSlot,
  ensureSlot,
  freezeBound,
  guardSlot,
  openChangeFeed,
  parseLsn,
  readSlot,
  takeOverSlot,
} from '../../../src/cdc/postgres/index.ts'
import { createDatabase, ctx, feedOptions, follow, type TestDatabase } from './support.ts'

const SLOT = 'cdc_slot_test'

describe('a slot', () => {
  let db: TestDatabase
  beforeAll(async () => {
    db = await createDatabase(inject('pgUrl'), 'cdc_slot')
    await db.sql(`CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION ${SLOT} FOR TABLE t`)
  })
  afterAll(() => db.close())
  afterEach(() => dropSlot(db.client, SLOT))

  it('is created once, and adopted as it stands', async () => {
    const first = await ensureSlot(db.client, SLOT)
    expect(first.created).toBe(true)
    expect(await ensureSlot(db.client, SLOT)).toEqual({ ...first, created: false })
    const slot = await guardSlot(db.client, SLOT, first.position)
    expect(slot).toMatchObject({ walStatus: 'reserved', confirmed: first.position.confirmed })
    expect(slot.retainedBytes).toBeGreaterThan(0)
  })

  it('of another plugin or kind is not adopted', async () => {
    await db.sql(`SELECT pg_create_physical_replication_slot('${SLOT}')`)
    await expect(ensureSlot(db.client, SLOT)).rejects.toMatchObject({ code: 'CDC_SETUP_REQUIRED' })
  })

  it('that was dropped is reported, before reading and by reading', async () => {
    const { position } = await ensureSlot(db.client, SLOT)
    await dropSlot(db.client, SLOT)
    const lost = { code: 'CDC_POSITION_LOST', hint: expect.stringContaining('efresh') }
    await expect(guardSlot(db.client, SLOT, position)).rejects.toMatchObject(lost)
    const feed = openChangeFeed(ctx, db.config, feedOptions(SLOT, position))
    await expect(feed).rejects.toMatchObject(lost)
  })

  it('that was made anew is not taken for the old one, however little happened between', async () => {
    const { position } = await ensureSlot(db.client, SLOT)
    await dropSlot(db.client, SLOT)
    await ensureSlot(db.client, SLOT)
    await expect(guardSlot(db.client, SLOT, position)).rejects.toMatchObject({
      code: 'CDC_POSITION_LOST',
      hint: expect.stringContaining('made anew'),
    })
  })

  it('on a server whose log is behind what was read is not trusted', async () => {
    await ensureSlot(db.client, SLOT)
    const position = { confirmed: parseLsn('FFFFFF/0') }
    await expect(guardSlot(db.client, SLOT, position)).rejects.toMatchObject({
      code: 'CDC_POSITION_LOST',
      hint: expect.stringContaining('backup'),
    })
  })

  it('lets go of the log that was acknowledged, and not of more', async () => {
    const { position } = await ensureSlot(db.client, SLOT)
    const feed = await openChangeFeed(ctx, db.config, feedOptions(SLOT, position, { lingerMs: 50 }))
    const events = feed[Symbol.asyncIterator]()
    await db.sql('INSERT INTO t VALUES (1)')
    let last: CdcPosition | undefined
    while (!last) {
      const { value } = await events.next()
      if (value.type === 'checkpoint') last = value.position
    }
    const held = await readSlot(db.client, SLOT)
    expect(held?.confirmed).toBe(position.confirmed)
    feed.acknowledge(last)
    while ((await readSlot(db.client, SLOT))?.confirmed !== last.confirmed) await pause(20)
    await events.return?.()
    expect((await guardSlot(db.client, SLOT, last)).reader).toBeUndefined()
  })

  it('is refused to a second reader, who is told whom it belongs to', async () => {
    const { position } = await ensureSlot(db.client, SLOT)
    const first = await openChangeFeed(ctx, db.config, feedOptions(SLOT, position))
    try {
      const second = openChangeFeed(ctx, db.config, feedOptions(SLOT, position))
      await expect(second).rejects.toMatchObject({ code: 'CDC_SLOT_IN_USE' })
      const stranger = takeOverSlot(db.client, SLOT, { applicationName: 'another connection' })
      await expect(stranger).rejects.toMatchObject({
        code: 'CDC_SLOT_IN_USE',
        message: expect.stringContaining(`'airbyte cdc ${SLOT}' (process ${first.pid})`),
      })
      await expect(dropSlot(db.client, SLOT)).rejects.toMatchObject({ code: 'CDC_SLOT_IN_USE' })
    } finally {
      await first.close()
    }
  })

  it('is taken over from a reader that we left behind', async () => {
    const { position } = await ensureSlot(db.client, SLOT)
    const options = feedOptions(SLOT, position)
    const stale = await openChangeFeed(ctx, db.config, options)
    const { applicationName } = options
    await takeOverSlot(db.client, SLOT, { applicationName, patienceMs: 200 })
    expect((await readSlot(db.client, SLOT))?.reader).toBeUndefined()
    await expect(drain(stale)).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
  })

  it('moves on in a quiet database whose end is asked for', async () => {
    const feed = await follow(db, 't')
    const before = feed.position.confirmed
    await freezeBound(db.client)
    expect(await feed.catchUp()).toEqual([{ type: 'checkpoint', position: feed.position }])
    expect(feed.position.confirmed).toBeGreaterThan(before)
    await dropSlot(db.client, feed.slot)
  })
})

describe('a server with narrow limits', () => {
  let server: RunningPostgres
  let db: TestDatabase
  beforeAll(async () => {
    server = await startPostgres([
      'max_slot_wal_keep_size=1MB',
      'max_replication_slots=1',
      'wal_sender_timeout=500ms',
    ])
    db = await createDatabase(await server.createDatabase('outer'), 'narrow')
  })
  afterAll(async () => {
    await db.close()
    await server.stop()
  })

  it('says that all slots are taken', async () => {
    await ensureSlot(db.client, 'one')
    await expect(ensureSlot(db.client, 'two')).rejects.toMatchObject({
      code: 'CDC_SETUP_REQUIRED',
      hint: expect.stringContaining('max_replication_slots'),
    })
    await dropSlot(db.client, 'one')
  })

  it('does not lose a reader that takes its time', async () => {
    await db.sql('CREATE TABLE slow (id int PRIMARY KEY); CREATE PUBLICATION slow FOR TABLE slow')
    const { position } = await ensureSlot(db.client, 'slow')
    const feed = await openChangeFeed(
      ctx,
      db.config,
      feedOptions('slow', position, { lingerMs: 50 }),
    )
    await pause(2000)
    await db.sql('INSERT INTO slow VALUES (1)')
    for await (const event of feed) if (event.type === 'changes') break
    await dropSlot(db.client, 'slow')
  })

  it('reports log that was removed before it was read', async () => {
    await db.sql('CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION lost_slot FOR TABLE t')
    const { position } = await ensureSlot(db.client, 'lost_slot')
    for (let segment = 0; segment < 3; segment++) {
      await db.sql('INSERT INTO t SELECT coalesce(max(id), 0) + 1 FROM t; SELECT pg_switch_wal()')
    }
    await db.sql('CHECKPOINT')
    expect(await readSlot(db.client, 'lost_slot')).toMatchObject({ walStatus: 'lost' })
    const lost = { code: 'CDC_POSITION_LOST' }
    await expect(guardSlot(db.client, 'lost_slot', position)).rejects.toMatchObject(lost)
    await expect(ensureSlot(db.client, 'lost_slot')).rejects.toMatchObject(lost)
    const feed = openChangeFeed(ctx, db.config, feedOptions('lost_slot', position))
    await expect(feed).rejects.toMatchObject(lost)
  })
})

describe('a server without logical replication', () => {
  it('is told what to set', async () => {
    const server = await startPostgres(['wal_level=replica'])
    const db = await createDatabase(await server.createDatabase('outer'), 'replica')
    try {
      const refusal = { code: 'CDC_SETUP_REQUIRED', hint: expect.stringContaining('wal_level') }
      await expect(checkServer(db.client)).rejects.toMatchObject(refusal)
      await expect(ensureSlot(db.client, 's')).rejects.toMatchObject(refusal)
    } finally {
      await db.close()
      await server.stop()
    }
  })
})

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function drain(feed: AsyncIterable<unknown>) {
  for await (const _ of feed) {
  }
}
