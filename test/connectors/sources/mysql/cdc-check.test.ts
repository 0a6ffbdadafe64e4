import { describe, expect, it } from 'vitest'
import { mysqlLog } from '../../../../connectors/sources/mysql/cdc/log.ts'
import mysql from '../../../../connectors/sources/mysql/index.ts'
import { endOfLog, orderOf, positionFromJson } from '../../../../src/cdc/mysql/index.ts'
import type { JsonObject } from '../../../../src/protocol/index.ts'
import { connectMysql } from '../../../../src/runtime/mysql/client.ts'
import type { LogStream } from '../../../../src/runtime/source-log.ts'
import { ON_MYSQL } from '../../../support/mysql-statement.ts'
import { ctx, useDatabase } from './support.ts'

const db = useDatabase('source_cdc_check', ['--binlog-ignore-db=source_unlogged'])
const check = (overrides: JsonObject = {}) =>
  mysql.check(ctx, {
    ...db.reading().config,
    replication_method: { method: 'CDC' },
    ...overrides,
  })

const OF_MYSQL = [
  ['binlog_row_value_options', 'PARTIAL_JSON', "''"],
  ['binlog_transaction_compression', 'ON', 'OFF'],
] as const

/** With the server set otherwise for as long as this takes. */
async function withSetting<T>(name: string, value: string, work: () => Promise<T>): Promise<T> {
  const [[before] = []] = await db.run(`SELECT @@global.${name}`)
  await db.run(`SET GLOBAL ${name} = '${value}'`)
  try {
    return await work()
  } finally {
    await db.run(`SET GLOBAL ${name} = ${before === '0' ? 'OFF' : `'${before}'`}`)
  }
}

describe('the check of a mysql source that is to follow the log', () => {
  it('passes where the server is set up for it', async () => {
    expect(await check()).toEqual({ ok: true })
  })

  it('names the setting that is wrong, and the statement that rights it', async () => {
    for (const [name, wrong, right] of [
      ['binlog_format', 'STATEMENT', 'ROW'],
      ['binlog_format', 'MIXED', 'ROW'],
      ['binlog_row_image', 'MINIMAL', 'FULL'],
      ['binlog_row_metadata', 'MINIMAL', 'FULL'],
      ...(ON_MYSQL ? OF_MYSQL : []),
    ] as const) {
      const { problem } = await withSetting(name, wrong, () => check())
      expect(problem, wrong).toMatchObject({
        code: 'CDC_SETUP_REQUIRED',
        field: 'config.replication_method',
        hint: expect.stringContaining(`SET GLOBAL ${name} = ${right}`),
      })
    }
  })

  it('refuses a replica that does not log what its primary tells it', async () => {
    // MySQL logs it unless it is started otherwise.
    if (ON_MYSQL) return
    await db.run(
      "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 1, MASTER_USER = 'nobody'",
      'START SLAVE SQL_THREAD',
    )
    try {
      expect((await check()).problem).toMatchObject({
        code: 'CDC_SETUP_REQUIRED',
        hint: expect.stringContaining('log_slave_updates = ON'),
      })
    } finally {
      await db.run('STOP SLAVE', 'RESET SLAVE ALL')
    }
    expect(await check()).toEqual({ ok: true })
  })

  it('names the right that the user lacks', async () => {
    await db.run(
      "CREATE OR REPLACE USER reader@'%' IDENTIFIED BY 'pw'",
      "GRANT SELECT ON source_cdc_check.* TO reader@'%'",
      // Who may tell replicas what to do may not read the log.
      `GRANT ${ON_MYSQL ? 'REPLICATION_SLAVE_ADMIN' : 'REPLICATION SLAVE ADMIN'} ON *.* TO reader@'%'`,
    )
    const reader = { username: 'reader', password: 'pw' }
    const rights = [
      'REPLICATION SLAVE',
      ...(ON_MYSQL ? ['REPLICATION CLIENT', 'PROCESS'] : ['BINLOG MONITOR']),
    ]
    for (const right of rights) {
      expect((await check(reader)).problem).toMatchObject({
        code: 'CDC_SETUP_REQUIRED',
        hint: expect.stringContaining(`GRANT ${rights.join(', ')} ON`),
      })
      await db.run(`GRANT ${right} ON *.* TO reader@'%'`)
    }
    expect(await check(reader)).toEqual({ ok: true })
    await db.run("DROP USER reader@'%'")
  })

  it('names the right to ask where the log ends on a MySQL before 8.2 too', async () => {
    await db.run("CREATE OR REPLACE USER asking@'%' IDENTIFIED BY 'pw'")
    const config = { ...db.reading().config, username: 'asking', password: 'pw', database: '' }
    const client = await connectMysql(ctx, config as never)
    // A MariaDB does not know the newer statement either.
    const older = { mariadb: false, query: (sql: string) => client.query(sql) }
    await expect(endOfLog(older)).rejects.toMatchObject({
      code: 'CDC_SETUP_REQUIRED',
      hint: expect.stringContaining('REPLICATION CLIENT'),
    })
    await client.close()
    await db.run("DROP USER asking@'%'")
  })
})

describe('the catalog of a mysql source that follows the log', () => {
  it('orders rows by their place in the log, and says that deletes are seen', async () => {
    await db.run('CREATE TABLE t (id INT PRIMARY KEY)', 'CREATE VIEW v AS SELECT * FROM t')
    const { streams } = await mysql.discover(ctx, {
      ...db.reading().config,
      replication_method: { method: 'CDC' },
    })
    const [table, view] = ['t', 'v'].map((name) => streams.find((stream) => stream.name === name))
    expect(table).toMatchObject({
      source_defined_cursor: true,
      default_cursor_field: ['_ab_cdc_cursor'],
      captures: { creates: true, updates: true, deletes: true },
    })
    expect(view?.supported_sync_modes).toEqual(['full_refresh'])
  })
})

describe('the log of a mysql source', () => {
  const prepare = (
    options: Partial<Parameters<typeof mysqlLog.prepare>[3]>,
    streams: Parameters<typeof mysqlLog.prepare>[2] = [],
  ) =>
    mysqlLog.prepare(
      ctx,
      { ...db.reading().config, replication_method: { method: 'CDC' } },
      streams,
      { name: 'x', kept: null, mayBeginAnew: false, ...options },
    )

  const followed = (namespace: string, name: string) =>
    ({ stream: { namespace, name }, primaryKey: ['id'] }) as LogStream

  it('is none for a database whose changes the server is set not to log; others go on', async () => {
    await db.run(
      'CREATE DATABASE source_unlogged',
      'CREATE TABLE source_unlogged.t (id INT PRIMARY KEY)',
      'CREATE TABLE logged (id INT PRIMARY KEY)',
    )
    const streams = [followed('source_unlogged', 't'), followed('source_cdc_check', 'logged')]
    const { failed } = await prepare({}, streams)
    expect(failed).toMatchObject([
      {
        stream: 'source_unlogged.t',
        error: {
          code: 'CDC_TABLE_UNSUITABLE',
          hint: expect.stringContaining('out of binlog_ignore_db'),
        },
      },
    ])
    await db.run('DROP DATABASE source_unlogged', 'DROP TABLE logged')
  })

  it('is none for a table that shows the rows of others', async () => {
    await db.run(
      'CREATE TABLE part (id INT PRIMARY KEY) ENGINE = MyISAM',
      'CREATE TABLE parts (id INT PRIMARY KEY) ENGINE = MERGE UNION = (part)',
    )
    const { failed } = await prepare(
      {},
      ['part', 'parts'].map((name) => followed('source_cdc_check', name)),
    )
    expect(failed).toMatchObject([
      { stream: 'source_cdc_check.parts', error: { code: 'CDC_TABLE_UNSUITABLE' } },
    ])
    await db.run('DROP TABLE parts, part')
  })

  it('is gone on from where it was left, unless changes since are in no log', async () => {
    const { place: kept } = await prepare({})
    expect((await prepare({ kept })).continues).toBe(true)
    await expect(prepare({ kept: { ...kept, isLost: true } })).rejects.toMatchObject({
      code: 'CDC_POSITION_LOST',
      message: expect.stringContaining('wrote no binlog'),
    })
  })

  it('begins anew at its end where nobody needs what was before, and ranks above it', async () => {
    const { place: kept } = await prepare({})
    await db.run('FLUSH BINARY LOGS')
    const anew = await prepare({ kept: { ...kept, isLost: true }, mayBeginAnew: true })
    expect(anew.continues).toBe(false)
    const orderOfPlace = ({ position }: typeof kept) => {
      const { file, base, pos } = positionFromJson(position)
      return orderOf(file, base, pos)
    }
    expect(orderOfPlace(anew.place)).toBeGreaterThan(orderOfPlace(kept))
    const elsewhere = { ...kept, position: { ...kept.position, file: 'binlog.000900' } }
    const begun = await prepare({ kept: elsewhere, mayBeginAnew: true })
    expect(orderOfPlace(begun.place)).toBeGreaterThan(orderOfPlace(elsewhere))
  })

  it('warns of foreign keys whose changes are not in it, and refuses views', async () => {
    await db.run(
      'CREATE OR REPLACE TABLE parents (id INT PRIMARY KEY)',
      'CREATE TABLE children (id INT PRIMARY KEY, parent INT, CONSTRAINT fk_parent FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE CASCADE)',
      'CREATE OR REPLACE VIEW seen AS SELECT * FROM parents',
    )
    const config = { ...db.reading().config, replication_method: { method: 'CDC' } }
    const namespace = 'source_cdc_check'
    const streams = ['children', 'seen'].map((name) => ({
      stream: { name, namespace },
      primaryKey: ['id'],
      columns: [],
    }))
    const { failed, continues, warnings } = await mysqlLog.prepare(ctx, config, streams, {
      ...{ name: 'x', kept: null, mayBeginAnew: true },
    })
    expect(continues).toBe(false)
    expect(warnings).toMatchObject([
      { stream: `${namespace}.children`, message: expect.stringContaining('fk_parent') },
    ])
    expect(failed).toMatchObject([
      { stream: `${namespace}.seen`, error: { code: 'CDC_TABLE_UNSUITABLE' } },
    ])
  })
})
