import { describe, expect, it } from 'vitest'
import mysql from '../../../../connectors/destinations/mysql/index.ts'
import { serverOf } from '../../../../connectors/destinations/mysql/server.ts'
import type { Cell, Column, RowOp } from '../../../../src/protocol/index.ts'
import type { Loader, StreamPlan } from '../../../../src/runtime/contract.ts'
import { connectMysql } from '../../../../src/runtime/mysql/client.ts'
import { ON_MYSQL } from '../../../support/mysql-statement.ts'
import { chunk, gate, planOf, records, USERS } from '../postgres/support.ts'
import { useDatabase } from './support.ts'

const NAME = 'mysql_destination'
const { ctx, config, run, open } = useDatabase(NAME)

const COLUMNS: Column[] = [
  { name: 'id', type: 'integer' },
  { name: 'name', type: 'string' },
]
let tables = 0
/** A plan for a table that no other test uses. */
function fresh(plan: Partial<StreamPlan> = {}): Partial<StreamPlan> & { table: string } {
  tables += 1
  const table = `t${tables}`
  return { stream: { name: table }, target: { table }, columns: COLUMNS, table, ...plan }
}

const of = (columns: Column[], rows: Cell[][], op?: RowOp[]) =>
  records(columns, rows, op ? { op } : {})

/** Prepares, loads one chunk, finishes. */
async function load(
  loader: Loader,
  rows: Cell[][],
  {
    fence = 1,
    columns = COLUMNS,
    id = 'c',
    op = undefined as RowOp[] | undefined,
    isolate = false,
  } = {},
) {
  await loader.prepare(fence)
  const result = await loader.load(
    chunk(id, [of(columns, rows, op)], { isolateBadRows: isolate }),
    fence,
  )
  await loader.finish(fence)
  return result
}

const next = (plan: Partial<StreamPlan>): Partial<StreamPlan> => ({
  ...plan,
  generationId: (plan.generationId ?? 1) + 1,
  minimumGenerationId: (plan.generationId ?? 1) + 1,
})

describe('the swap of a generation', () => {
  it('keeps views, grants by name, and columns that the source no longer has', async () => {
    const plan = fresh({
      mode: 'overwrite',
      columns: [...COLUMNS, { name: 'old', type: 'string' }],
    })
    await load(await open(plan), [[1, 'one', 'x']], { columns: plan.columns ?? [] })
    await run(`CREATE VIEW ${plan.table}_view AS SELECT id, name FROM ${plan.table}`)
    const later = next({ ...plan, columns: COLUMNS })
    await load(await open(later), [[2, 'two']], { fence: 2 })
    expect(await run(`SELECT * FROM ${plan.table}_view`)).toEqual([['2', 'two']])
    expect(await run(`SELECT id, old FROM ${plan.table}`)).toEqual([['2', null]])
    expect(await run(`SHOW TABLES LIKE '\\_airbyte\\_next%${plan.table}'`)).toEqual([])
  })

  it('moves the rows into a table that an index, a trigger or a foreign key hangs on', async () => {
    const plan = fresh({ mode: 'overwrite_dedup' })
    await load(await open(plan), [[1, 'one']])
    await run(
      `CREATE INDEX own ON ${plan.table} (name(20))`,
      `CREATE TABLE ${plan.table}_log (n INT)`,
      `CREATE TRIGGER ${plan.table}_t AFTER INSERT ON ${plan.table} FOR EACH ROW INSERT INTO ${plan.table}_log VALUES (1)`,
    )
    const grown = [...COLUMNS, { name: 'more', type: 'string' } as const]
    await load(await open(next({ ...plan, columns: grown })), [[2, 'two', 'x']], {
      fence: 2,
      columns: grown,
    })
    expect(await run(`SELECT id, name, more FROM ${plan.table}`)).toEqual([['2', 'two', 'x']])
    expect(await run(`SHOW INDEX FROM ${plan.table} WHERE Key_name = 'own'`)).toHaveLength(1)
    expect(await run(`SELECT COUNT(*) FROM ${plan.table}_log`)).toEqual([['1']])
    expect(await run(`SHOW TABLES LIKE '\\_airbyte\\_next%${plan.table}'`)).toEqual([])
  })

  it('is complete after a crash between the renaming and its note', async () => {
    const plan = fresh({ mode: 'overwrite' })
    await load(await open(plan), [[1, 'one']])
    const later = next(plan)
    const crashed = await open(later)
    await crashed.prepare(2)
    await crashed.load(chunk('g2', [of(COLUMNS, [[2, 'two']])]), 2)
    await run(
      `RENAME TABLE ${plan.table} TO _airbyte_last_2_${plan.table}, _airbyte_next_2_${plan.table} TO ${plan.table}`,
    )
    const loader = await open(later)
    expect((await loader.prepare(3))?.chunkId).toBe('g2')
    const again = await loader.load(chunk('g2', [of(COLUMNS, [[2, 'two']])]), 3)
    expect(again.duplicate).toBe(true)
    await loader.finish(3)
    expect(await run(`SELECT id FROM ${plan.table}`)).toEqual([['2']])
    expect(await run(`SHOW TABLES LIKE '\\_airbyte\\_last%${plan.table}'`)).toEqual([])
  })

  it('goes on where both tables were left under other names', async () => {
    const plan = fresh({ mode: 'overwrite' })
    await load(await open(plan), [[1, 'one']])
    const later = next(plan)
    const loader = await open(later)
    await loader.prepare(2)
    await loader.load(chunk('g2', [of(COLUMNS, [[2, 'two']])]), 2)
    // A server that renames one table after the other, and crashed between them.
    await run(`RENAME TABLE ${plan.table} TO _airbyte_last_2_${plan.table}`)
    await loader.finish(2)
    expect(await run(`SELECT id FROM ${plan.table}`)).toEqual([['2']])
  })
})

describe('the ledger', () => {
  it('is forgotten with a table that somebody dropped', async () => {
    const plan = fresh()
    await load(await open(plan), [[1, 'one']])
    await run(`DROP TABLE ${plan.table}`)
    const loader = await open(plan)
    expect(await loader.prepare(2)).toBeNull()
    expect((await loader.load(chunk('c', [of(COLUMNS, [[1, 'one']])]), 2)).duplicate).toBe(false)
  })

  it('ends a loader that hangs in the middle of a load, whose locks a change of the table would wait for', async () => {
    const plan = fresh()
    const { opened, open: release } = gate()
    const zombie = await open(plan)
    await zombie.prepare(1)
    const begun = gate()
    const hanging = zombie.load(
      chunk(
        'c',
        (async function* () {
          yield of(
            COLUMNS,
            Array.from({ length: 2000 }, (_, n) => [n, 'x'.repeat(1000)]),
          )
          begun.open()
          await opened
        })(),
      ),
      1,
    )
    const settled = Promise.allSettled([hanging])
    await begun.opened
    const grown = [...COLUMNS, { name: 'more', type: 'string' } as const]
    const successor = await open({ ...plan, columns: grown })
    expect(await successor.prepare(2)).toBeNull()
    release()
    const [outcome] = await settled
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'FENCE_LOST' } })
    expect(await successor.count()).toBe(0)
  })

  it('refuses the table of another connection, and one that no sync made', async () => {
    const plan = fresh()
    await load(await open(plan), [[1, 'one']])
    const other = await open({ ...plan, connectionId: '0190b6a5-5a4f-7cc3-8b1d-000000000002' })
    await expect(other.prepare(1)).rejects.toMatchObject({ code: 'TABLE_TAKEN' })
    const stranger = fresh()
    await run(`CREATE TABLE ${stranger.table} (id INT)`)
    await expect((await open(stranger)).prepare(1)).rejects.toMatchObject({ code: 'TABLE_TAKEN' })
  })

  it('leaves a table to nobody when its connection is deleted', async () => {
    const plan = fresh()
    const loader = await open(plan)
    await load(loader, [[1, 'one']])
    await loader.release?.()
    const other = await open({ ...plan, connectionId: '0190b6a5-5a4f-7cc3-8b1d-000000000002' })
    await other.prepare(1)
    expect(await other.count()).toBe(1)
  })
})

describe('values that MySQL refuses', () => {
  const native = (name: string, type: Column['type'], own: string): Column => ({
    name,
    type,
    native: { dialect: 'mysql', type: own },
  })
  const columns = [
    COLUMNS[0] as Column,
    native('small', 'integer', 'smallint(6)'),
    { name: 'day', type: 'timestamp_with_timezone' } as const,
  ]
  const rows: Cell[][] = [
    [1, 7, '2024-01-01T00:00:00Z'],
    [2, 70_000, '2024-01-01T00:00:00Z'],
    [3, 7, '9999-12-31T23:59:59-05:00'],
  ]

  it('roll the chunk back, by name', async () => {
    const loader = await open(fresh({ columns }))
    await expect(load(loader, rows, { columns })).rejects.toMatchObject({
      code: 'VALUE_REJECTED',
      field: 'small',
    })
    expect(await loader.count()).toBe(0)
  })

  it('roll the chunk back where the server is set to keep no warnings', async () => {
    const [[before] = []] = await run('SELECT @@GLOBAL.max_error_count')
    await run('SET GLOBAL max_error_count = 0')
    try {
      const loader = await open(fresh({ columns }))
      await expect(load(loader, rows, { columns })).rejects.toMatchObject({
        code: 'VALUE_REJECTED',
      })
      expect(await loader.count()).toBe(0)
    } finally {
      await run(`SET GLOBAL max_error_count = ${before}`)
    }
  })

  it('become null one by one, with a recorded change', async () => {
    const plan = fresh({ columns })
    const result = await load(await open(plan), rows, { columns, isolate: true })
    expect(result).toMatchObject({ rows: 3, rejects: [], nulled: 2 })
    const found = await run(
      `SELECT id, small, day, JSON_VALUE(_airbyte_meta, '$.changes[0].field') FROM ${plan.table} ORDER BY id`,
    )
    expect(found).toEqual([
      ['1', '7', '2024-01-01 00:00:00.000000', null],
      ['2', null, '2024-01-01 00:00:00.000000', 'small'],
      ['3', '7', null, 'day'],
    ])
  })

  it('reject the row in a key that is longer than an index holds', async () => {
    const keyed: Column[] = [
      { name: 'name', type: 'string' },
      { name: 'v', type: 'string' },
    ]
    const plan = fresh({ columns: keyed, mode: 'append_dedup', primaryKey: [['name']] })
    const long: Cell[][] = [
      ['a', '1'],
      ['x'.repeat(761), '2'],
      ['x'.repeat(760), '3'],
      ['y'.repeat(761), null],
    ]
    // Nor is the one looked for that has left the stream, and could not be there.
    const op: RowOp[] = ['u', 'u', 'u', 'x']
    const result = await load(await open(plan), long, { columns: keyed, op, isolate: true })
    expect(result.rows).toBe(2)
    expect(result.rejects).toMatchObject([{ field: 'name' }])
  })

  it('reject the rows that a constraint of the owner refuses, merged or not', async () => {
    for (const mode of ['append', 'append_dedup'] as const) {
      const plan = fresh({ mode })
      const loader = await open(plan)
      await loader.prepare(1)
      await run(
        `ALTER TABLE ${plan.table} ADD CONSTRAINT ${plan.table}_short CHECK (CHAR_LENGTH(name) < 5)`,
      )
      const mixed: Cell[][] = [
        [1, 'one'],
        [2, 'much too long'],
        [3, 'tre'],
      ]
      await expect(loader.load(chunk('c', [of(COLUMNS, mixed)]), 1)).rejects.toMatchObject({
        code: 'VALUE_REJECTED',
      })
      const isolated = chunk('c', [of(COLUMNS, mixed)], { isolateBadRows: true })
      const result = await loader.load(isolated, 1)
      expect(result.rows).toBe(2)
      expect(result.rejects).toHaveLength(1)
      expect(JSON.parse(result.rejects[0]?.row ?? '')).toMatchObject({ id: 2 })
    }
  })
})

describe('a row that is rejected by a merge', () => {
  it('is kept as it came, to be loaded again', async () => {
    const columns: Column[] = [
      { name: 'id', type: 'integer' },
      { name: 'flag', type: 'boolean' },
      { name: 'bytes', type: 'binary' },
      { name: 'doc', type: 'unknown' },
      { name: 'exact', type: 'number' },
    ]
    const bytes = Buffer.alloc(100, 7).toString('base64')
    const values: Cell[] = [true, bytes, '{"big": 9007199254740993}', '1234567890123456789.25']
    const plan = fresh({ columns, mode: 'append_dedup' })
    const loader = await open(plan)
    await loader.prepare(1)
    await run(`ALTER TABLE ${plan.table} ADD CONSTRAINT ${plan.table}_few CHECK (id < 5)`)
    const rows = [
      [9, ...values],
      [null, ...values],
    ]
    const { rejects } = await loader.load(
      chunk('c', [of(columns, rows)], { isolateBadRows: true }),
      1,
    )
    expect(rejects.map(({ row }) => row)).toEqual(
      ['null', '9'].map(
        (id) =>
          `{"id":${id},"flag":true,"bytes":"${bytes}","doc":{"big": 9007199254740993},"exact":1234567890123456789.25}`,
      ),
    )
    expect(rejects[0]).toMatchObject({ field: 'id', reason: 'a primary key column is null' })
  })
})

describe('names', () => {
  it('that are one to MySQL are told apart, and those that it does not take are replaced', async () => {
    const names = [
      'e',
      'é',
      'E',
      'ß',
      'ss',
      'blank ',
      ...['\t', '\n', '\v', '\f', '\r'].map((end) => `blank${end}`),
      'blank',
      '😀',
      '𝒳',
      'ł',
      'l',
      'a`b',
      'ﬁ',
      'fi',
    ]
    const columns = names.map((name): Column => ({ name, type: 'string' }))
    const plan = fresh({ columns, target: { table: '😀 é`/. ' } })
    const loader = await open(plan)
    await load(loader, [names], { columns })
    for await (const batch of loader.readBack?.() ?? []) {
      expect(batch).toMatchObject({ columns: names.map((name) => [name]) })
    }
    const found = await run(
      `SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '${NAME}'
       AND TABLE_NAME LIKE '|_ é%' ESCAPE '|' ORDER BY ORDINAL_POSITION`,
    )
    expect(found.slice(4).map(([name]) => name)).toEqual(
      expect.arrayContaining(['e', 'blank', 'a`b']),
    )
  })

  it('that a column of another field has already are refused, with what to do', async () => {
    const field = (name: string): Column => ({ name, type: 'string' })
    const first = fresh({ columns: [field('Name')] })
    await load(await open(first), [['one']], { columns: first.columns })
    const loader = await open({ ...first, columns: [field('Name'), field('name')] })
    await expect(loader.prepare(2)).rejects.toMatchObject({
      ...{ code: 'SCHEMA_CHANGED', kind: 'config', field: 'name' },
      hint: expect.stringContaining('`Name`'),
    })
  })

  it('of a table fit its file, whatever characters they have', async () => {
    const plan = fresh({ target: { table: '漢'.repeat(64) } })
    await load(await open(plan), [[1, 'one']])
  })
})

describe('a table that grows', () => {
  it('takes wider numbers and more text, and says what it cannot hold', async () => {
    const typed = (type: string): Column[] => [
      COLUMNS[0] as Column,
      { name: 'n', type: 'integer', native: { dialect: 'mysql', type } },
    ]
    const plan = fresh({ columns: typed('smallint(6)') })
    await load(await open(plan), [[1, 5]], { columns: typed('smallint(6)') })
    await load(await open({ ...plan, columns: typed('bigint(20)') }), [[2, 5_000_000_000]], {
      fence: 2,
      id: 'd',
      columns: typed('bigint(20)'),
    })
    expect(await run(`SELECT n FROM ${plan.table} ORDER BY id`)).toEqual([['5'], ['5000000000']])
    const date = await open({
      ...plan,
      columns: [COLUMNS[0] as Column, { name: 'n', type: 'date' }],
    })
    await expect(date.prepare(3)).rejects.toMatchObject({ code: 'SCHEMA_CHANGED', field: 'n' })
  })

  it('keeps what somebody else added to it, and not what its stream no longer has', async () => {
    const plan = fresh({ mode: 'append_dedup' })
    const wide: Column[] = [...COLUMNS, { name: 'age', type: 'integer' }]
    await load(await open({ ...plan, columns: wide }), [[1, 'one', 7]], { columns: wide })
    await run(`ALTER TABLE ${plan.table} ADD note TEXT`)
    await run(`UPDATE ${plan.table} SET note = 'mine'`)
    const again = async (fence: number) => {
      await load(await open(plan), [[1, `v${fence}`]], { fence, id: `c${fence}` })
      return run(`SELECT name, age, note FROM ${plan.table}`)
    }
    expect(await again(2)).toEqual([['v2', null, 'mine']])
    // Of a table that an earlier version made nobody knows: what is there counts as the stream's.
    await run('DROP TABLE _airbyte_columns')
    expect(await again(3)).toEqual([['v3', null, null]])
  })

  it('gets a key that its rows lack once their generation goes, and not before', async () => {
    const plan = fresh({ mode: 'append_dedup' })
    await load(await open(plan), [[1, 'one']])
    const columns: Column[] = [
      { name: 'code', type: 'string' },
      { name: 'name', type: 'string' },
    ]
    const next = { ...plan, columns, primaryKey: [['code']] }
    await expect((await open(next)).prepare(2)).rejects.toMatchObject({
      ...{
        code: 'SCHEMA_CHANGED',
        message: expect.stringContaining('rows without the primary key'),
      },
    })
    const reset = await open({ ...next, generationId: 2, minimumGenerationId: 2 })
    await load(reset, [['x', 'one']], { columns, fence: 3, id: 'x' })
    expect(await run(`SELECT id, code, name FROM ${plan.table}`)).toEqual([[null, 'x', 'one']])
  })

  it('gets a key that an index can hold when its stream is to be deduplicated', async () => {
    const plan = fresh({ primaryKey: [['name']] })
    await load(await open(plan), [[1, 'one']])
    const dedup = { ...plan, mode: 'append_dedup' as const }
    await load(await open(dedup), [[2, 'one']], { fence: 2, id: 'd' })
    expect(await run(`SELECT id, name FROM ${plan.table}`)).toEqual([['2', 'one']])
    await load(await open(plan), [[3, 'one']], { fence: 3, id: 'e' })
    expect(await run(`SELECT COUNT(*) FROM ${plan.table}`)).toEqual([['2']])
    const refused = await open(dedup)
    await expect(refused.prepare(4)).rejects.toMatchObject({ code: 'SCHEMA_CHANGED' })
  })

  it('shows beforehand what a sync would run, and changes nothing', async () => {
    const plan = fresh({ mode: 'append_dedup' })
    const before = await mysql.rehearse?.(ctx, config(), planOf(plan))
    expect(before?.targetRows).toBeNull()
    expect(before?.statements.at(-1)).toMatch(/^CREATE TABLE `mysql_destination`\.`t\d+` \(/)
    expect(await run(`SHOW TABLES LIKE '${plan.table}'`)).toEqual([])
    await load(await open(plan), [[1, 'one']])
    const grown = planOf({ ...plan, columns: [...COLUMNS, { name: 'more', type: 'string' }] })
    const after = await mysql.rehearse?.(ctx, config(), grown)
    expect(after?.statements).toEqual([
      `ALTER TABLE \`${NAME}\`.\`${plan.table}\` ADD COLUMN \`more\` longtext CHARACTER SET utf8mb4 COLLATE ${ON_MYSQL ? 'utf8mb4_0900_bin' : 'utf8mb4_nopad_bin'} NULL`,
    ])
    expect(after?.existing.map(({ name }) => name)).toContain('name')
  })
})

describe('values that a change left out', () => {
  const LOG: Column[] = [
    ...COLUMNS,
    { name: 'amount', type: 'number' },
    { name: 'bytes', type: 'binary' },
    { name: 'doc', type: 'object' },
    { name: '_ab_cdc_lsn', type: 'integer' },
  ]
  const LARGE = ['name', 'amount', 'bytes', 'doc']
  const read = (table: string) =>
    run(`SELECT id, name, TRIM(TRAILING '0' FROM amount), HEX(bytes), doc, JSON_EXTRACT(_airbyte_meta, '$.changes[*].field')
      FROM ${table} ORDER BY id`)
  /** Rows of a change log: those that say nothing of a large value lack all of them, others have what they say. */
  type Logged = [RowOp, id: number, position: number, name?: string | null, left?: string[]]

  async function loaded(...chunks: Logged[][]) {
    const plan = fresh({ mode: 'append_dedup', columns: LOG, cursorField: ['_ab_cdc_lsn'] })
    const loader = await open(plan)
    await loader.prepare(1)
    for (const [n, changes] of chunks.entries()) {
      const rows = changes.map(([, id, position, name]): Cell[] =>
        name == null
          ? [id, null, null, null, null, position]
          : [id, name, '12345678901234567890.5', 'AP8=', '{"a": [1, "é"]}', position],
      )
      const left = changes.flatMap(([, , , name, fields = LARGE], row) =>
        name === undefined
          ? fields.map((field) => ({
              row,
              field,
              change: 'UNCHANGED' as const,
              reason: 'LEFT_OUT',
            }))
          : [],
      )
      const op = changes.map(([kind]) => kind)
      await loader.load(chunk(`c${n}`, [records(LOG, rows, { op, changes: left })]), 1)
    }
    await loader.finish(1)
    return read(plan.table)
  }
  const whole = (id: string, name: string) => [
    ...[id, name, '12345678901234567890.5', '00FF', '{"a": [1, "é"]}', null],
  ]

  it('of every type are what the table has, over thousands of changes and moves in one chunk', async () => {
    const busy = Array.from({ length: 3000 }, (_, n): Logged => ['u', 1, 10 + n])
    const moving = Array.from({ length: 40 }, (_, n): Logged[] => [
      ['d', 20 + n, 4000 + n, null],
      ['m', 21 + n, 4000 + n],
      ['u', 21 + n, 4000 + n],
    ]).flat()
    const rows = await loaded(
      [
        ['u', 1, 1, 'one'],
        ['u', 20, 2, 'twenty'],
      ],
      [...busy, ...moving],
    )
    expect(rows).toEqual([whole('1', 'one'), whole('60', 'twenty')])
  })

  it('are null where they are nowhere to be found, with an entry for each', async () => {
    const rows = await loaded([
      ['u', 1, 1],
      ['d', 2, 2, null],
      ['m', 3, 2],
      ['m', 4, 3],
      ['u', 5, 4, null],
      ['u', 5, 5],
    ])
    const lost = (id: string) => [
      id,
      null,
      null,
      null,
      null,
      JSON.stringify(LARGE).replaceAll(',', ', '),
    ]
    expect(rows).toEqual([lost('1'), lost('3'), lost('4'), ['5', null, null, null, null, null]])
  })

  it('stay by column: one change tells some of them, the next the others', async () => {
    const rows = await loaded(
      [['u', 1, 1, 'one']],
      [
        ['u', 1, 2, undefined, ['amount', 'bytes', 'doc']],
        ['u', 1, 3, undefined, ['name']],
      ],
    )
    expect(rows).toEqual([['1', null, null, null, null, null]])
  })
})

describe('deleted rows that stay', () => {
  const LOG: Column[] = [
    ...COLUMNS,
    { name: '_ab_cdc_lsn', type: 'integer' },
    { name: '_ab_cdc_deleted_at', type: 'timestamp_with_timezone' },
  ]
  const AT = '2026-01-02T00:00:00Z'
  const STORED = '2026-01-02 00:00:00.000000'
  const soft = { cdc_deletion_mode: 'Soft delete' }

  it('keep their values, and bear the time of their deletion', async () => {
    const plan = fresh({ mode: 'append_dedup', columns: LOG, cursorField: ['_ab_cdc_lsn'] })
    const loader = await open(plan, soft)
    await loader.prepare(1)
    const changes = (id: string, op: RowOp[], rows: Cell[][]) =>
      loader.load(chunk(id, [of(LOG, rows, op)]), 1)
    await changes(
      'a',
      ['u', 'u', 'u'],
      [
        [1, 'one', 1, null],
        [2, 'two', 2, null],
        [3, 'three', 3, null],
      ],
    )
    await changes(
      'b',
      ['d', 'd', 'u'],
      [
        [1, null, 5, AT],
        [9, null, 6, AT],
        [2, 'two again', 7, null],
      ],
    )
    // Read again from an older position.
    await changes('c', ['u'], [[1, 'one', 1, null]])
    const rows = `SELECT id, name, _ab_cdc_deleted_at FROM ${plan.table} ORDER BY id`
    expect(await run(rows)).toEqual([
      ['1', 'one', STORED],
      ['2', 'two again', null],
      ['3', 'three', null],
      ['9', null, STORED],
    ])
    await changes(
      'd',
      ['t', 'u'],
      [
        [null, null, 8, '2026-01-03T00:00:00Z'],
        [4, 'four', 9, null],
      ],
    )
    expect(await run(rows)).toEqual([
      ['1', 'one', STORED],
      ['2', 'two again', '2026-01-03 00:00:00.000000'],
      ['3', 'three', '2026-01-03 00:00:00.000000'],
      ['4', 'four', null],
      ['9', null, STORED],
    ])
  })
})

it('makes tables without a key on a server that asks for one, or says what right that takes', async () => {
  if (!ON_MYSQL) return
  await run('SET GLOBAL sql_require_primary_key = ON')
  try {
    expect(await mysql.check(ctx, config())).toEqual({ ok: true })
    const plan = fresh({})
    await load(await open(plan), [[1, 'one']])
    await run(
      `CREATE OR REPLACE USER plain@'%' IDENTIFIED BY 'pw'`,
      `GRANT ALL ON ${NAME}.* TO plain@'%'`,
    )
    const result = await mysql.check(ctx, { ...config(), username: 'plain', password: 'pw' })
    expect(result).toMatchObject({
      problem: {
        ...{ code: 'PERMISSION_DENIED', kind: 'config' },
        hint: expect.stringContaining("GRANT SESSION_VARIABLES_ADMIN ON *.* TO 'plain'"),
      },
    })
  } finally {
    await run('SET GLOBAL sql_require_primary_key = OFF')
  }
})

it('says in its check which rights are missing', async () => {
  await run(
    `CREATE OR REPLACE USER poor@'%' IDENTIFIED BY 'pw'`,
    `GRANT SELECT, CREATE ON ${NAME}.* TO poor@'%'`,
  )
  const result = await mysql.check(ctx, { ...config(), username: 'poor', password: 'pw' })
  expect(result).toMatchObject({
    ok: false,
    problem: { code: 'PERMISSION_DENIED', field: 'config.database' },
  })
  expect(result.problem?.hint).toContain('CREATE TEMPORARY TABLES')
  await run(`DROP USER poor@'%'`)
})

it('refuses a server that has no collation of bytes, as MySQL before 8.0.17', async () => {
  const client = await connectMysql(ctx, config() as never)
  // Taken for one of the other kind, it lacks what that one has.
  const { mariadb, version } = client
  const other = { mariadb: !mariadb, version, query: (sql: string) => client.query(sql) }
  await expect(serverOf(other)).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringContaining(version),
    hint: expect.stringContaining('8.0.17'),
  })
  await client.close()
})

it('keeps times in UTC, to the microsecond', async () => {
  const plan = fresh({ columns: USERS })
  await load(await open(plan), [[1, 'x', '2024-03-31T02:30:00.123456+02:00']], { columns: USERS })
  expect(await run(`SELECT updated FROM ${plan.table}`)).toEqual([['2024-03-31 00:30:00.123456']])
})

it('keeps the largest FLOAT, whose own shortest text is beyond it', async () => {
  const columns: Column[] = [
    { name: 'id', type: 'integer' },
    { name: 'f', type: 'number', native: { dialect: 'postgres', type: 'real' } },
  ]
  const plan = fresh({ columns })
  const rows = [
    [1, 3.4028235e38],
    [2, 0.1],
  ]
  await load(await open(plan), rows, { columns })
  const found: unknown[] = []
  for await (const batch of (await open(plan)).readBack?.() ?? []) {
    if (batch.kind === 'records') found.push(...(batch.columns[1] ?? []))
  }
  expect(found).toEqual([3.4028235e38, 0.1])
})
