import { Buffer } from 'node:buffer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SourceConfig } from '../../../connectors/sources/mysql/config.ts'
import { gtidsOf, MysqlGtids } from '../../../src/cdc/mysql/gtid.ts'
import { guardPosition, settledPoint } from '../../../src/cdc/mysql/index.ts'
import { gtidOf, serverIdentity } from '../../../src/cdc/mysql/server.ts'
import { ON_MYSQL } from '../../support/mysql-statement.ts'
import { type Capture, capture, changesOf, SERVER_START_MS, useServer, xaOf } from './support.ts'

const A = '3e11fa47-71ca-11e1-9e33-c80aa9429562'
const B = '00000000-0000-0000-0000-0000000000ff'

describe('a set of transactions of MySQL', () => {
  it('joins what follows one another, in any order, and prints it as the server does', () => {
    const set = new MysqlGtids('')
    for (const id of [5, 1, 2, 9, 4, 3, 3, 10, 7]) set.add(`${A}:${id}`)
    set.add(`${B}:18446744073709551614`)
    expect(String(set)).toBe(`${A}:1-5:7:9-10,${B}:18446744073709551614`)
    set.add(`${A}:6`)
    set.add(`${A}:8`)
    expect(String(set)).toBe(`${A}:1-10,${B}:18446744073709551614`)
  })

  it('is read back from its text and from its bytes', () => {
    const text = `${A}:1-5:7:9-10,${B}:18446744073709551614`
    expect(String(gtidsOf(text))).toBe(text)
    const spaced = text.toUpperCase().replace(',', ',\n')
    expect(String(new MysqlGtids(spaced))).toBe(text)
    const bytes = new MysqlGtids(text).encode()
    expect(bytes.toString('hex', 0, 24)).toBe(`0200000000000000${A.replaceAll('-', '')}`)
    expect(String(MysqlGtids.decode(bytes, 0, bytes.length))).toBe(text)
  })

  it('is unknown where it has tags', () => {
    expect(MysqlGtids.decode(Buffer.from('0101000000000001', 'hex'), 0, 8)).toBeUndefined()
  })
})

describe('a list of transactions of MariaDB', () => {
  it('has the newest of each domain', () => {
    const list = gtidsOf('0-1-5,7-2-1')
    list?.add('0-3-6')
    expect(String(list)).toBe('7-2-1,0-3-6')
  })
})

describe('a server that takes the place of another', () => {
  let first: Awaited<ReturnType<typeof useServer>>
  let second: typeof first
  beforeAll(async () => {
    ;[first, second] = await Promise.all([
      useServer(),
      useServer(['--server-id=2', '--loose-gtid-domain-id=1', '--loose-log-slave-updates=ON']),
    ])
    // What making them wrote would come twice.
    for (const server of [first, second]) await server.run('RESET MASTER')
    await second.run(...replicate(first.config))
    await first.run('CREATE TABLE orders (id INT PRIMARY KEY)')
  }, 2 * SERVER_START_MS)
  afterAll(() => Promise.all([first?.stop(), second?.stop()]))

  const orders = { orders: ['id'] }
  const ids = ({ batches }: Capture) => changesOf(batches).map(({ row }) => row.id)
  const insert = (server: typeof first, id: number) =>
    server.run(`INSERT INTO orders VALUES (${id})`)

  it('is read from the transaction on that was the next one', async () => {
    await insert(first, 1)
    const point = await settledPoint(first.client, 20_000)
    const from = { ...point, gtid: await gtidOf(first.client, point), events: 0, base: 0 }
    expect(from.gtid).not.toBe('')
    await insert(first, 2)
    const before = await capture(first.config, from, orders)
    expect(ids(before)).toEqual([2])
    await insert(first, 3)
    const undecided = await (await xaOf(first.config, "'late'")).prepare(
      'INSERT INTO orders VALUES (100)',
    )
    const known = await capture(first.config, before.end, orders)
    expect(ids(known)).toEqual([3])
    await undecided.commit()
    // Files of another number and length, and transactions of its own among those of the first.
    await second.run('FLUSH BINARY LOGS', 'CREATE TABLE own (id INT)')
    await arrived(second, 100)
    await insert(second, 4)

    const held = await guardPosition(second.client, known.end, await serverIdentity(first.client))
    expect(held).toMatchObject({ file: '', base: 2 })
    const after = await capture(second.config, held, orders)
    expect(ids(after)).toEqual([100, 4])
    const orderOf = ({ batches }: Capture) =>
      batches.flatMap(({ schema, columns }) => {
        const cursor = schema.findIndex(({ name }) => name === '_ab_cdc_cursor')
        return columns[cursor] as number[]
      })
    expect(Math.min(...orderOf(after))).toBeGreaterThan(Math.max(...orderOf(before)))

    await insert(second, 5)
    expect(ids(await capture(second.config, after.end, orders))).toEqual([5])
  }, 60_000)

  it('tells all ids from the next file on, also where nobody said them at the start', async () => {
    const { gtid: _, ...point } = await settledPoint(second.client, 20_000)
    const from = { ...point, gtid: '', events: 0, base: 0 }
    await insert(second, 6)
    const here = await capture(second.config, from, orders)
    expect(here.end.gtid).toBe('')
    await second.run('FLUSH BINARY LOGS')
    await insert(second, 7)
    const there = await capture(second.config, here.end, orders)
    expect(ids(there)).toEqual([7])
    const end = await settledPoint(second.client, 20_000)
    expect(sorted(there.end.gtid)).toEqual(sorted(await gtidOf(second.client, end)))
  }, 60_000)
})

function replicate({ host, port, username, password }: SourceConfig) {
  const of = (words: string) =>
    `${words}_HOST = '${host}', ${words}_PORT = ${port}, ${words}_USER = '${username}', ${words}_PASSWORD = '${password}'`
  return ON_MYSQL
    ? [
        `CHANGE REPLICATION SOURCE TO ${of('SOURCE')}, SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1`,
        'START REPLICA',
      ]
    : [`CHANGE MASTER TO ${of('MASTER')}, MASTER_USE_GTID = slave_pos`, 'START SLAVE']
}

const sorted = (list: string) => list.split(',').sort()

/** The other server's rows are here, up to this one. */
const arrived = (server: Awaited<ReturnType<typeof useServer>>, id: number) =>
  expect
    .poll(() => server.run('SELECT MAX(id) FROM orders').catch(() => []), { timeout: 30_000 })
    .toEqual([[String(id)]])
