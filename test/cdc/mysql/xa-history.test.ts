import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { settledPoint } from '../../../src/cdc/mysql/index.ts'
import { connectMysql, type MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { seeded } from '../../durable-object/cdc-writer.ts'
import { runMysql } from '../../support/mysql-statement.ts'
import {
  type Capture,
  capture,
  changesOf,
  ctx,
  SERVER_START_MS,
  useServer,
  xaOf,
} from './support.ts'

const SEEDS = [1, 2, 3, 4]
const ROWS = 40
/** Transactions that may be prepared at one time, each with a table of its own: they hold locks. */
const OPEN = 3
const WAIT_MS = 60_000

const PARTS = Array.from({ length: OPEN + 1 }, (_, part) => part)
const tableOf = (seed: number, part: number) => `t${seed}_${part}`

let db: Awaited<ReturnType<typeof useServer>>
beforeAll(async () => {
  db = await useServer()
}, SERVER_START_MS)
afterAll(() => db?.stop())

/** Random statements on one of the seed's tables. */
function statementsOn(seed: number, random: () => number) {
  const any = (n: number) => Math.floor(random() * n)
  return (part: number) => {
    const table = tableOf(seed, part)
    const one = () =>
      [
        `INSERT IGNORE INTO ${table} VALUES (${any(ROWS)}, ${any(1e6)})`,
        `UPDATE ${table} SET v = ${any(1e6)} WHERE id = ${any(ROWS)}`,
        `UPDATE IGNORE ${table} SET id = ${any(ROWS)} WHERE id = ${any(ROWS)}`,
        `DELETE FROM ${table} WHERE id = ${any(ROWS)}`,
      ][any(4)] as string
    return Array.from({ length: 1 + any(3) }, one)
  }
}

/** Writes until it is told to stop, and then decides what it has prepared. */
async function write(client: MysqlClient, seed: number, goesOn: () => boolean) {
  const random = seeded(seed)
  const any = (n: number) => Math.floor(random() * n)
  const statements = statementsOn(seed, random)
  const open = new Map<number, Awaited<ReturnType<typeof xaOf>>>()
  const decided = { commit: 0, rollback: 0 }
  const decide = async (slot: number) => {
    const end = any(3) === 0 ? 'rollback' : 'commit'
    await open.get(slot)?.[end]()
    open.delete(slot)
    decided[end] += 1
  }
  for (let n = 0; goesOn() || Math.min(decided.commit, decided.rollback) === 0; n++) {
    const slot = any(OPEN + 1)
    if (slot === OPEN) {
      const end = any(4) === 0 ? 'ROLLBACK' : 'COMMIT'
      await runMysql(client, 'BEGIN', ...statements(slot), end)
    } else if (open.has(slot)) await decide(slot)
    else {
      const xa = await xaOf(db.config, `'${seed}','${n}'`)
      open.set(slot, await xa.prepare(...statements(slot)))
    }
    if (n % 20 === 19) await client.query('FLUSH BINARY LOGS')
  }
  for (const slot of [...open.keys()]) await decide(slot)
}

/** What the seed's tables have, as their changes say it too. */
async function contents(client: MysqlClient, seed: number) {
  const found = new Map<string, unknown>()
  for (const part of PARTS) {
    const table = tableOf(seed, part)
    for (const [id, v] of await client.query(`SELECT id, v FROM ${table}`))
      found.set(`${table} ${id}`, Number(v))
  }
  return found
}

describe('tables that are written to in XA transactions', { timeout: 120_000 }, () => {
  it.concurrent.each(SEEDS)('are what they are at the source, seed %i', async (seed) => {
    const random = seeded(seed + 1000)
    const [client, other] = [await connectMysql(ctx, db.config), await connectMysql(ctx, db.config)]
    for (const part of PARTS)
      await client.query(`CREATE TABLE ${tableOf(seed, part)} (id INT PRIMARY KEY, v INT)`)
    let running = true
    const writing = write(other, seed, () => running)
    await sleep(100 * random())
    // As a connection does: a place in the log, the tables, and the log from there on.
    const point = await settledPoint(client, WAIT_MS)
    const copy = await contents(client, seed)
    await sleep(300 * random())
    running = false
    await writing

    const parts: Capture[] = []
    const keys = Object.fromEntries(PARTS.map((part) => [tableOf(seed, part), ['id']]))
    let at: Capture['end'] = { ...point, gtid: '', events: 0, base: 0 }
    const read = async (options = {}) => {
      const part = await capture(db.config, at, keys, options)
      parts.push(part)
      at = part.end
    }
    for (let stops = 0; stops < 6; stops++) {
      await read({ lingerMs: 0, stopAfter: 1 + Math.floor(random() * 3) })
    }
    await read()
    for (const { op, row, stream } of parts.flatMap(({ batches }) => changesOf(batches))) {
      if (op === 'd') copy.delete(`${stream} ${row.id}`)
      else copy.set(`${stream} ${row.id}`, row.v)
    }
    expect(copy).toEqual(await contents(client, seed))
    await client.close()
    await other.close()
  })
})
