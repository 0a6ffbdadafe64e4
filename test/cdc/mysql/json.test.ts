import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateSync, inflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { jsonText } from '../../../src/cdc/mysql/json.ts'
import { text } from '../../../src/runtime/mysql/sql.ts'
import { seeded } from '../../durable-object/cdc-writer.ts'
import { ON_MYSQL } from '../../support/mysql-statement.ts'
import { capture, changesOf, SERVER_START_MS, useServer } from './support.ts'

/** Values of JSON in SQL, and what MySQL 9.7.4 made of each: its text in a query, its bytes in the log. */
interface Recorded {
  sql: string
  text: string
  bytes: string
}

const FILE = 'json-values.json'
const recorded = (): Recorded[] =>
  JSON.parse(readFileSync(join(import.meta.dirname, FILE), 'utf8')) as Recorded[]

/** Bit patterns anyhow, and what people write. */
function doubles(): string[] {
  const random = seeded(7)
  const view = new DataView(new ArrayBuffer(8))
  const any = Array.from({ length: 150 }, () => {
    view.setUint32(0, random() * 2 ** 32)
    view.setUint32(4, random() * 2 ** 32)
    return view.getFloat64(0)
  })
  const powers = Array.from({ length: 40 }, (_, n) => [10 ** (n - 20), 1.5 * 10 ** (n - 20)])
  const written = [...powers.flat(), 0.1, 1 / 3, 123456789.125, 2 ** 53, 2 ** 53 + 2, 1e15, 123e13]
  const extremes = [Number.MAX_VALUE, 2.2250738585072014e-308, 1.7976931348623157e308]
  return [...any, ...written, ...extremes]
    .filter((value) => Number.isFinite(value) && Math.abs(value) >= 2.3e-308)
    .map((value) => value.toExponential())
}

const quoted = (value: unknown) => text(JSON.stringify(value))

const VALUES: string[] = [
  ...["'null'", "'true'", "'false'", "'{}'", "'[]'", `'""'`, "'0'", "'-0.0'", "'0.0'"],
  ...[-32768, 32767, 65535, 65536, -2147483648, 4294967295, 4294967296].map((n) => `'${n}'`),
  ...["'9223372036854775807'", "'-9223372036854775808'", "'18446744073709551615'"],
  ...doubles().map((text) => `'[${text}]'`),
  ...[
    { a: [1, 65535, 4294967295, null, true, 'x'], é: { '': '😀' } },
    [[[[[{ deep: [[]] }]]]]],
    'quotes " and \\ and \b\f\n\r\t\u0001\u001f\u007f\u2028 ends',
    { __proto__x: 1, constructor: { toString: null } },
  ].map(quoted),
  ...[127, 128, 16383, 16384].map((n) => `JSON_ARRAY(REPEAT('é', ${n} DIV 2))`),
  "JSON_ARRAY(REPEAT('x', 70000), 1, 65536, -70000, 'after')",
  "JSON_OBJECT('large', REPEAT('y', 66000), 'n', 4294967295, 'z', NULL)",
  'JSON_ARRAY(CAST(12345678901234567890.123456789 AS DECIMAL(50,20)), -0.5, CAST(7 AS DECIMAL(5,0)))',
  "JSON_ARRAY(DATE '2024-02-29', TIMESTAMP '2024-02-29 23:59:59.000001', TIMESTAMP '1000-01-01 00:00:00')",
  "JSON_ARRAY(TIME '-838:59:59', TIME '00:00:00.000001', TIME '-00:00:00.5', TIME '23:59:59')",
  "JSON_ARRAY(CAST(X'00ff10' AS BINARY), CAST('blob' AS CHAR CHARACTER SET binary), b'101')",
  'JSON_ARRAY(CAST(1 AS SIGNED), CAST(1 AS UNSIGNED), 1 = 1, CAST(1.5 AS DOUBLE))',
]

/** Long texts are kept deflated. */
const packed = (long: string) =>
  long.length > 2000 ? `deflated ${deflateSync(long).toString('base64')}` : long
const unpacked = (kept: string) =>
  kept.startsWith('deflated ')
    ? inflateSync(Buffer.from(kept.slice(9), 'base64')).toString('utf8')
    : kept

describe('JSON in the log of MySQL', () => {
  it('has the text that a query has, as recorded from a real server', () => {
    const values = recorded()
    expect(values.length).toBeGreaterThan(200)
    for (const { sql, text, bytes } of values) {
      const stored = Buffer.from(unpacked(bytes), 'hex')
      const printed = jsonText(stored, 0, stored.length)
      expect({ sql, text: printed }).toEqual({ sql, text: unpacked(text) })
    }
  })

  it('is null where a row was written without it', () => {
    expect(jsonText(Buffer.alloc(4), 2, 2)).toBe('null')
  })
})

if (ON_MYSQL)
  describe('JSON in the log of this MySQL', () => {
    let db: Awaited<ReturnType<typeof useServer>>
    beforeAll(async () => {
      db = await useServer()
    }, SERVER_START_MS)
    afterAll(() => db?.stop())

    it('has the text that a query has, and its bytes are those recorded', async () => {
      await db.run('CREATE TABLE one (id INT PRIMARY KEY, v JSON)')
      const from = await db.end()
      for (const [n, sql] of VALUES.entries()) await db.run(`INSERT INTO one VALUES (${n}, ${sql})`)
      const queried = await db.run('SELECT v FROM one ORDER BY id')
      const tables = { one: ['id'] }
      const hex = (bytes: Buffer, start: number, end: number) => bytes.toString('hex', start, end)
      const [texts, bytes] = await Promise.all([
        capture(db.config, from, tables),
        capture(db.config, from, tables, { read: hex }),
      ])
      const logged = changesOf(texts.batches).map(({ row }) => row.v)
      expect(logged).toEqual(queried.map(([text]) => text))
      const stored = changesOf(bytes.batches).map(({ row }) => String(row.v))
      const now = VALUES.map((sql, n) => ({
        ...{ sql, text: packed(String(logged[n])), bytes: packed(String(stored[n])) },
      }))
      await expect(`${JSON.stringify(now, null, 2)}\n`).toMatchFileSnapshot(FILE)
    }, 60_000)
  })
