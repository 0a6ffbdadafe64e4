import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import type { ChangeEvent } from '../../../src/cdc/postgres/index.ts'
import { toChangeLog } from '../../../src/cdc/postgres/pgoutput/change-log.ts'
import { createDatabase, follow, summary, type TestDatabase } from './support.ts'

const LARGE = `(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 400) n)`

describe('the change feed', () => {
  let db: TestDatabase
  beforeAll(async () => {
    db = await createDatabase(inject('pgUrl'), 'cdc_feed')
  })
  afterEach(() => db.dropSlots())
  afterAll(() => db.close())

  it('tells inserts, updates, deletes and truncates in the order of their commits', async () => {
    await db.sql('CREATE TABLE t (id int PRIMARY KEY, name text, flag boolean, big bigint)')
    const feed = await follow(db, 't')
    await db.sql(
      `INSERT INTO t VALUES (1, 'a', true, 9007199254740993), (2, 'é\t', false, -5), (3, NULL, NULL, NULL)`,
    )
    await db.sql(`UPDATE t SET name = 'b' WHERE id = 1; DELETE FROM t WHERE id = 3`)
    const events = await feed.catchUp()
    expect(summary(events)).toEqual([
      ['i', 1, 'a', true, 9007199254740993n],
      ['i', 2, 'é\t', false, -5],
      ['i', 3, null, null, null],
      ['u', 1, 'b', true, 9007199254740993n],
      ['d', 3, null, null, null],
    ])
    await db.sql(`TRUNCATE t; INSERT INTO t VALUES (1, 'again')`)
    expect(summary(await feed.catchUp())).toEqual([
      'truncate public.t',
      ['i', 1, 'again', null, null],
    ])
    expect(await feed.catchUp().then(summary)).toEqual([])
  })

  it('dates each row by its commit, and marks deletes', async () => {
    await db.sql('CREATE TABLE dated (id int PRIMARY KEY)')
    const feed = await follow(db, 'dated')
    await db.sql('INSERT INTO dated VALUES (1); DELETE FROM dated')
    const [change] = (await feed.catchUp()).filter(({ type }) => type === 'changes') as Extract<
      ChangeEvent,
      { type: 'changes' }
    >[]
    const [, lsn, updated, deleted] = change?.batch.columns ?? []
    expect(lsn).toEqual([expect.any(Number), lsn?.[0]])
    expect(change?.batch.sequences).toEqual([1, 2])
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    expect(updated).toEqual([time, time])
    expect(Math.abs(Date.parse(updated?.[0] as string) - Date.now())).toBeLessThan(60_000)
    expect(deleted).toEqual([null, time])
  })
})

describe('large values and keys', () => {
  let db: TestDatabase
  beforeAll(async () => {
    db = await createDatabase(inject('pgUrl'), 'cdc_toast')
  })
  afterEach(() => db.dropSlots())
  afterAll(() => db.close())

  it('marks a large value that was not changed, also where the key changed', async () => {
    await db.sql('CREATE TABLE t (id int PRIMARY KEY, n int, large text)')
    await db.sql(`INSERT INTO t VALUES (1, 0, ${LARGE})`)
    const feed = await follow(db, 't')
    await db.sql('UPDATE t SET n = 1; UPDATE t SET id = 2; UPDATE t SET large = NULL')
    const events = await feed.catchUp()
    expect(summary(events)).toEqual([
      ['u', 1, 1, '…'],
      ['d', 1, null, null],
      ['u', 2, 1, '…'],
      ['u', 2, 1, null],
    ])
    const change = events.find(({ type }) => type === 'changes')
    expect(change?.type === 'changes' && change.batch.movedFrom).toEqual(new Map([[2, 1]]))
    expect(change?.type === 'changes' && change.batch.sequences).toEqual([1, 2, 2, 3])
    const log = change?.type === 'changes' ? toChangeLog(change.batch) : undefined
    expect(log?.op).toEqual(['u', 'd', 'm', 'u'])
    expect(log?.changes?.map(({ row, field, change }) => [row, field, change])).toEqual([
      [0, 'large', 'UNCHANGED'],
      [2, 'large', 'UNCHANGED'],
    ])
  })

  it('takes unchanged values from the old row where the whole of it is sent', async () => {
    await db.sql('CREATE TABLE whole (id int PRIMARY KEY, n int, large text)')
    await db.sql('ALTER TABLE whole REPLICA IDENTITY FULL')
    const { rows } = await db.sql(`INSERT INTO whole VALUES (1, 0, ${LARGE}) RETURNING large`)
    const feed = await follow(db, 'whole', (_, columns) => ({
      stream: 'whole',
      columns,
      key: ['id'],
    }))
    await db.sql(
      'UPDATE whole SET n = 1; UPDATE whole SET id = 2; UPDATE whole SET n = 3; DELETE FROM whole',
    )
    const { large } = rows[0]
    expect(summary(await feed.catchUp())).toEqual([
      ['u', 1, 1, large],
      ['d', 1, 1, large],
      ['u', 2, 1, large],
      ['u', 2, 3, large],
      ['d', 2, 3, large],
    ])
  })

  it('tells rows apart by the index that the table names', async () => {
    await db.sql('CREATE TABLE named (id int PRIMARY KEY, code text NOT NULL, n int)')
    await db.sql('CREATE UNIQUE INDEX named_code ON named (code)')
    await db.sql('ALTER TABLE named REPLICA IDENTITY USING INDEX named_code')
    const feed = await follow(db, 'named')
    await db.sql(`INSERT INTO named VALUES (1, 'a', 1)`)
    await db.sql(`UPDATE named SET id = 2; UPDATE named SET code = 'b'; DELETE FROM named`)
    expect(summary(await feed.catchUp())).toEqual([
      ['i', 1, 'a', 1],
      ['u', 2, 'a', 1],
      ['d', null, 'a', null],
      ['u', 2, 'b', 1],
      ['d', null, 'b', null],
    ])
  })
})
