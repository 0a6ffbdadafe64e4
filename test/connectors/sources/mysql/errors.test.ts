import { describe, expect, inject, it, vi } from 'vitest'
import mysql from '../../../../connectors/sources/mysql/index.ts'
import { type JsonObject, rowsOf } from '../../../../src/protocol/index.ts'
import { connectMysql } from '../../../../src/runtime/mysql/client.ts'
import { batchesOf, configure, readStream } from '../../../conformance/reading.ts'
import { ON_MYSQL } from '../../../support/mysql-statement.ts'
import { cellsOf, changesOf, ctx, useDatabase } from './support.ts'

/** A value that fills the first packet of its row to the last byte, so that an empty one follows. */
const FULL_PACKET = 2 ** 24 - 1 - 10

const db = useDatabase('source_errors')
const rowsRead = (events: Parameters<typeof batchesOf>[0]) =>
  batchesOf(events).reduce((rows, batch) => rows + rowsOf(batch), 0)
const check = (overrides: JsonObject) => mysql.check(ctx, { ...db.reading().config, ...overrides })

/** A cipher of TLS 1.3, or of an older server's 1.2. */
const ENCRYPTED = /^(?:TLS|DHE|ECDHE)/

describe('what the mysql source says of failures', () => {
  it('verifies the certificate when asked to, and encrypts', async () => {
    const { ca, otherCa } = inject('tls')
    const config = {
      ...db.config(),
      ssl_mode: { mode: 'verify_identity' as const, ca_certificate: ca },
    }
    const client = await connectMysql(ctx, config)
    expect((await client.query("SHOW STATUS LIKE 'Ssl_cipher'"))[0]?.[1]).toMatch(ENCRYPTED)
    await client.close()
    const verified = await check({ ssl_mode: { mode: 'verify_ca', ca_certificate: otherCa } })
    expect(verified.problem).toMatchObject({
      code: 'TLS_FAILED',
      field: 'config.ssl_mode.ca_certificate',
    })
  })

  it('encrypts where the server offers it, unless told not to', async () => {
    for (const [mode, cipher] of [
      ['preferred', ENCRYPTED],
      ['required', ENCRYPTED],
      ['disabled', /^$/],
    ] as const) {
      const client = await connectMysql(ctx, { ...db.config(), ssl_mode: { mode } })
      expect((await client.query("SHOW STATUS LIKE 'Ssl_cipher'"))[0]?.[1], mode).toMatch(cipher)
      await client.close()
    }
  })

  it('does not wait for ever for the greeting of a server that speaks something else', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const checked = check({ port: Number(new URL(inject('pgUrl')).port) })
      // The clock of this test: it moves only when the socket had its turn.
      const ticking = setInterval(() => vi.advanceTimersByTime(5000), 50)
      expect((await checked).problem).toMatchObject({ code: 'TIMEOUT' })
      clearInterval(ticking)
    } finally {
      vi.useRealTimers()
    }
  })

  it('says what is not supported instead of leaving it out', async () => {
    expect(
      (await check({ tunnel_method: { tunnel_method: 'SSH_KEY_AUTH' } })).problem,
    ).toMatchObject({
      code: 'UNSUPPORTED',
      field: 'config.tunnel_method',
    })
    expect((await check({ ssl_mode: { mode: 'sometimes' } })).problem?.code).toBe(
      'VALIDATION_FAILED',
    )
    expect((await check({ host: '' })).problem?.field).toBe('config.host')
  })

  it('names the right that is missing', async () => {
    await db.run(
      'CREATE TABLE secret (id INT PRIMARY KEY)',
      "CREATE OR REPLACE USER limited@'%' IDENTIFIED BY 'pw'",
      'GRANT INSERT ON source_errors.secret TO limited@`%`',
    )
    const stream = await db.stream('secret')
    const reading = db.reading({ username: 'limited', password: 'pw' })
    const events = await readStream(reading, configure(stream))
    expect(events.find(({ type }) => type === 'error')).toMatchObject({
      error: {
        code: 'STREAM_NOT_FOUND',
        hint: expect.stringContaining('GRANT SELECT ON `source_errors`.`secret`'),
      },
    })
    await db.run("DROP USER limited@'%'")
  })

  it('reads every row of a server that is set to end results early', async () => {
    await db.run(
      'CREATE TABLE keyless (v INT)',
      'INSERT INTO keyless SELECT seq FROM seq_1_to_50',
      'SET GLOBAL sql_select_limit = 20',
    )
    try {
      const read = await readStream(db.reading(), configure(await db.stream('keyless')))
      expect(rowsRead(read)).toBe(50)
    } finally {
      await db.run('SET GLOBAL sql_select_limit = 18446744073709551615')
    }
  })

  it('is in no transaction that it did not begin, whatever the server is set to', async () => {
    await db.run('SET GLOBAL autocommit = 0', "SET GLOBAL completion_type = 'CHAIN'")
    try {
      const client = await connectMysql(ctx, { ...db.config() })
      const set = await client.query('SELECT @@autocommit, @@completion_type')
      await client.close()
      expect(set).toEqual([['1', 'NO_CHAIN']])
    } finally {
      await db.run('SET GLOBAL autocommit = 1', "SET GLOBAL completion_type = 'NO_CHAIN'")
    }
  })

  it('reads nothing that is not committed, whatever the server lets others see', async () => {
    const [[before] = []] = await db.run(
      `SELECT VARIABLE_VALUE FROM ${ON_MYSQL ? 'performance_schema.global_variables' : 'information_schema.GLOBAL_VARIABLES'}
       WHERE VARIABLE_NAME IN ('tx_isolation', 'transaction_isolation')`,
    )
    const isolate = (level: string) => db.run(`SET GLOBAL TRANSACTION ISOLATION LEVEL ${level}`)
    await db.run('CREATE TABLE undecided (id INT PRIMARY KEY)', 'BEGIN')
    await db.run('INSERT INTO undecided VALUES (1)')
    try {
      await isolate('READ UNCOMMITTED')
      const read = await readStream(db.reading(), configure(await db.stream('undecided')))
      expect(rowsRead(read)).toBe(0)
    } finally {
      await isolate(String(before).replace('-', ' '))
      await db.run('ROLLBACK')
    }
  })

  it('says which column is gone or changed since discovery', async () => {
    await db.run('CREATE TABLE moving (id INT PRIMARY KEY, a INT, b INT)')
    const configured = configure(await db.stream('moving'))
    await db.run('ALTER TABLE moving DROP COLUMN a')
    const gone = await readStream(db.reading(), configured)
    expect(gone.find(({ type }) => type === 'error')).toMatchObject({
      error: { code: 'COLUMNS_CHANGED', field: 'a' },
    })
    await db.run('ALTER TABLE moving ADD COLUMN a BIGINT AFTER id')
    const retyped = await readStream(db.reading(), configured)
    expect(retyped.find(({ type }) => type === 'error')).toMatchObject({
      error: { code: 'COLUMNS_CHANGED', field: 'a' },
    })
  })

  it('reads a row across packets of 16 MB, and leaves out what an isolate could not hold', async () => {
    await db.run(
      'SET GLOBAL max_allowed_packet = 1073741824',
      'CREATE TABLE big (id INT PRIMARY KEY, v LONGTEXT, w LONGTEXT, n INT)',
    )
    const { config } = db
    const writer = await connectMysql(ctx, config())
    await writer.query(
      `INSERT INTO big VALUES (1, REPEAT('x', 17000000), 'w', 5), (2, 'v', REPEAT('y', ${FULL_PACKET}), 6),
         (3, REPEAT('ä', 20000000), REPEAT('z', 300), NULL), (4, 'v', 'w', 7)`,
    )
    await writer.close()
    const configured = configure(await db.stream('big'))
    const events = await readStream(db.reading(), configured)
    expect(events.at(-1)).toMatchObject({ status: 'complete' })
    const short = (cell: unknown) =>
      typeof cell === 'string' && cell.length > 100 ? cell.length : cell
    const cells = ['id', 'v', 'w', 'n'].map((field) => cellsOf(events, field).map(short))
    expect(cells).toEqual([
      [1, 2, 3, 4],
      [17_000_000, 'v', null, 'v'],
      ['w', FULL_PACKET, 300, 'w'],
      [5, 6, null, 7],
    ])
    expect(changesOf(events)).toEqual([
      { row: 0, field: 'v', change: 'NULLED', reason: expect.stringContaining('40000000 bytes') },
    ])
  })
})
