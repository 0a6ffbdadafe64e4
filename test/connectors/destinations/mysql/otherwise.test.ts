import { expect, it } from 'vitest'
import type { Cell, Column } from '../../../../src/protocol/index.ts'
import { chunk, records } from '../postgres/support.ts'
import { useDatabase } from './support.ts'

/** As MySQL 8 is set unless someone changes it, and as servers on Windows are. */
const { run, open } = useDatabase('set_otherwise', [
  '--local-infile=0',
  '--lower-case-table-names=1',
  '--max-allowed-packet=1M',
  '--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,HIGH_NOT_PRECEDENCE',
  '--binlog-format=STATEMENT',
  '--default-time-zone=+05:30',
  '--character-set-server=latin1',
  '--default-storage-engine=MyISAM',
  '--transaction-isolation=SERIALIZABLE',
  '--autocommit=0',
  '--loose-sql-safe-updates=ON',
])

const COLUMNS: Column[] = [
  { name: 'id', type: 'integer' },
  { name: 'note', type: 'string' },
  { name: 'bytes', type: 'binary' },
]
const of = (rows: Cell[][]) => records(COLUMNS, rows)

it('takes rows by INSERT where the server takes no local rows', async () => {
  const loader = await open({ columns: COLUMNS })
  await loader.prepare(1)
  const rows: Cell[][] = Array.from({ length: 3000 }, (_, n) => [n, `it's \\ "${n}"\n\t\0`, 'AP8n'])
  expect((await loader.load(chunk('a', [of(rows), of([[3000, null, null]])]), 1)).rows).toBe(3001)
  await loader.finish(1)
  const [found] = await run(
    `SELECT COUNT(*), SUM(note = CONCAT('it''s ', CHAR(92), ' ', CHAR(34), id, CHAR(34), CHAR(10), CHAR(9), CHAR(0))),
      SUM(HEX(bytes) = '00FF27') FROM users`,
  )
  expect(found).toEqual(['3001', '3000', '3000'])
})

it('takes local rows where the server then does, whatever it says of its replicas', async () => {
  await run('SET GLOBAL local_infile = 1')
  const loader = await open({
    stream: { name: 'local' },
    target: { table: 'local' },
    columns: COLUMNS,
  })
  await loader.prepare(1)
  expect((await loader.load(chunk('a', [of([[1, 'one', 'AP8n']])]), 1)).rows).toBe(1)
  await run('SET GLOBAL local_infile = 0')
  expect(await run('SELECT note, HEX(bytes) FROM local')).toEqual([['one', '00FF27']])
})

it('merges there as anywhere', async () => {
  const target = { stream: { name: 'merged' }, target: { table: 'merged' } }
  const loader = await open({ ...target, columns: COLUMNS, mode: 'append_dedup' })
  await loader.prepare(1)
  await loader.load(chunk('a', [of([[1, 'one', null]])]), 1)
  await loader.load(
    chunk('b', [
      of([
        [1, 'one again', 'AA=='],
        [2, 'two', null],
      ]),
    ]),
    1,
  )
  await loader.finish(1)
  expect(await run('SELECT id, note, HEX(bytes) FROM merged ORDER BY id')).toEqual([
    ['1', 'one again', '00'],
    ['2', 'two', null],
  ])
})

it('has what a change log tells, and times as they are', async () => {
  const columns: Column[] = [
    { name: 'id', type: 'integer' },
    { name: 'at', type: 'timestamp_with_timezone' },
    { name: 'order', type: 'string' },
  ]
  const target = { stream: { name: 'changed' }, target: { table: 'changed' } }
  const loader = await open({ ...target, columns, mode: 'append_dedup' })
  await loader.prepare(1)
  const rows: Cell[][] = [
    [1, '2024-01-01T00:00:00Z', 'a||b'],
    [2, '2024-01-01T02:00:00+02:00', null],
  ]
  await loader.load(chunk('a', [records(columns, rows)]), 1)
  const gone = { ...records(columns, [[1, null, null]]), op: ['d' as const] }
  await loader.load(chunk('b', [gone]), 1)
  await loader.finish(1)
  expect(await run('SELECT id, CAST(at AS CHAR), `order` FROM changed')).toEqual([
    ['2', '2024-01-01 00:00:00.000000', null],
  ])
})

it('takes two streams whose tables differ in case for two that want one table', async () => {
  const plan = (name: string) => ({ stream: { name }, target: { table: name }, columns: COLUMNS })
  const first = await open(plan('Orders'))
  await first.prepare(1)
  expect(await first.count()).toBe(0)
  const second = await open(plan('ORDERS'))
  await expect(second.prepare(1)).rejects.toMatchObject({ code: 'TABLE_TAKEN' })
})

it('nulls the longest value of a row that is larger than a statement may be', async () => {
  const plan = { stream: { name: 'large' }, target: { table: 'large' }, columns: COLUMNS }
  const loader = await open(plan)
  await loader.prepare(1)
  const rows: Cell[][] = [
    [1, 'x', null],
    [2, 'é'.repeat(600_000), null],
    [3, 'y', null],
  ]
  await expect(loader.load(chunk('a', [of(rows)]), 1)).rejects.toMatchObject({
    code: 'VALUE_REJECTED',
    field: 'note',
  })
  const result = await loader.load(chunk('a', [of(rows)], { isolateBadRows: true }), 1)
  expect(result).toMatchObject({ rows: 3, nulled: 1, rejects: [] })
  expect(await run('SELECT id, note FROM large ORDER BY id')).toEqual([
    ['1', 'x'],
    ['2', null],
    ['3', 'y'],
  ])
})

it('reads of a large table only the rows that a merge concerns', async () => {
  const target = { stream: { name: 'big' }, target: { table: 'big' } }
  const loader = await open({ ...target, columns: COLUMNS, mode: 'append_dedup' })
  await loader.prepare(1)
  const all: Cell[][] = Array.from({ length: 20_000 }, (_, n) => [n, `row ${n}`, null])
  await loader.load(chunk('a', [of(all)]), 1)
  /** Rows that the server took one after the other; some hundreds are the answer to this very question. */
  const read = async () => {
    const rows = await run(
      `SHOW GLOBAL STATUS WHERE Variable_name IN ('Handler_read_next', 'Handler_read_rnd_next')`,
    )
    return rows.reduce((sum, [, value]) => sum + Number(value), 0)
  }
  const before = await read()
  await loader.load(chunk('b', [of(all.filter(([id]) => Number(id) % 2000 === 0))]), 1)
  expect((await read()) - before).toBeLessThan(10_000)
})
