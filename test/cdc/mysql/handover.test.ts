import { Buffer } from 'node:buffer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endOfLog, type LogPoint, settledPoint } from '../../../src/cdc/mysql/index.ts'
import type { PreparedXa } from '../../../src/cdc/mysql/xa.ts'
import { toAirbyteError } from '../../../src/protocol/index.ts'
import { connectMysql, type MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { ON_MYSQL } from '../../support/mysql-statement.ts'
import { capture, changesOf, ctx, SERVER_START_MS, useServer, xaOf } from './support.ts'

const SEMI_SYNC = ON_MYSQL ? 'rpl_semi_sync_source' : 'rpl_semi_sync_master'

let db: Awaited<ReturnType<typeof useServer>>
let client: MysqlClient
let writer: MysqlClient

beforeAll(async () => {
  db = await useServer()
  client = db.client
  writer = await connectMysql(ctx, db.config)
  await client.query('CREATE TABLE items (id INT PRIMARY KEY, v INT) ENGINE = InnoDB')
  await client.query('INSERT INTO items VALUES (1, 1)')
  if (ON_MYSQL)
    await client.query("INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'")
  await client.query(`SET GLOBAL ${SEMI_SYNC}_wait_point = 'AFTER_SYNC'`)
  await client.query(`SET GLOBAL ${SEMI_SYNC}_timeout = 3600000`)
}, SERVER_START_MS)
afterAll(async () => {
  await writer?.close()
  await db?.stop()
})

const waiting = (on: boolean) => client.query(`SET GLOBAL ${SEMI_SYNC}_enabled = ${on ? 1 : 0}`)

const at = (point: LogPoint) => ({ gtid: '', events: 0, base: 0, ...point })

const value = async () => (await client.query('SELECT v FROM items WHERE id = 1'))[0]?.[0]

describe('the hand-over from the table to the log', () => {
  it('takes a place before a change that is in the log and that nobody can see yet', async () => {
    await waiting(true)
    const before = await endOfLog(client)
    const committing = writer.query('UPDATE items SET v = 2 WHERE id = 1')
    await expect.poll(async () => (await endOfLog(client)).pos).toBeGreaterThan(before.pos)
    // The change is in the log; a snapshot would still read the old row.
    expect(await value()).toBe('1')
    const end = await endOfLog(client)
    const settled = ON_MYSQL ? before : await settledPoint(client, 1000)
    expect(settled).toEqual(before)
    // MySQL knows no place of what can be seen: it has to be waited for.
    if (ON_MYSQL) await expect(settledPoint(client, 500)).rejects.toThrow('stayed open')

    // A place beyond the change is settled only once the change can be seen.
    const late = await settledPoint(client, 0, at(end)).catch((error) => toAirbyteError(error).code)
    expect(late).toBe('TIMEOUT')
    await waiting(false)
    await committing
    expect(await settledPoint(client, 1000, at(end))).toMatchObject(end)
    expect(await value()).toBe('2')

    const from = at(settled)
    const { batches } = await capture(db.config, from, { items: ['id'] })
    expect(changesOf(batches).map(({ row }) => row)).toEqual([{ id: 1, v: 2 }])
  })

  it.runIf(!ON_MYSQL)(
    'waits for a transaction that is being prepared and is not listed yet, however long that takes',
    async () => {
      await client.query("CREATE USER plain@'127.0.0.1' IDENTIFIED BY 'pw'")
      await client.query("GRANT BINLOG MONITOR ON *.* TO plain@'127.0.0.1'")
      await client.query("GRANT SELECT ON test.* TO plain@'127.0.0.1'")
      const before = await endOfLog(client)
      const xa = await xaOf(db.config, "'slow'")
      await waiting(true)
      const preparing = xa.prepare('UPDATE items SET v = v + 10 WHERE id = 1')
      try {
        await expect.poll(async () => (await endOfLog(client)).pos).toBeGreaterThan(before.pos)
        expect(await client.query('XA RECOVER')).toEqual([])
        await expect(settledPoint(client, 500)).rejects.toThrow('stayed open')
        // Who may not see what others do waits for a time instead.
        const plain = await connectMysql(ctx, { ...db.config, username: 'plain', password: 'pw' })
        expect(await settledPoint(plain, 0)).toMatchObject({ file: before.file })
        await plain.close()
      } finally {
        await waiting(false)
      }
      await preparing
      await xa.rollback()
      expect(await settledPoint(client, 1500)).toMatchObject({ file: before.file })
    },
  )

  it('waits for transactions that are prepared, but for those that a reader knows of', async () => {
    const names = ["'plain','q'", "X'00ff27','',7"]
    const known = { ...at(await endOfLog(client)), prepared: [] as PreparedXa[] }
    const late = () =>
      settledPoint(client, 300, ON_MYSQL ? undefined : known).catch((e) => toAirbyteError(e).code)
    const [plain, odd] = [
      await xaOf(db.config, names[0] ?? ''),
      await xaOf(db.config, names[1] ?? ''),
    ]
    await plain.prepare('UPDATE items SET v = 3 WHERE id = 1')
    await odd.prepare('INSERT INTO items VALUES (2, 2)')
    expect(await late()).toBe('TIMEOUT')
    const xids = [`${Buffer.from('plain').toString('hex')}.71.1`, '00ff27..7']
    known.prepared = xids.map((xid) => ({ xid, file: known.file, pos: known.pos, gtid: '' }))
    if (!ON_MYSQL) expect(await late()).toMatchObject({ file: known.file })
    await plain.commit()
    await odd.rollback()
    known.prepared = []
    expect(await late()).toMatchObject({ file: known.file })
  })
})
