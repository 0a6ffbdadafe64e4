import type pg from 'pg'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { createNodeContext } from '../../../src/egress/node-context.ts'
import { closePostgres, connectPostgres } from '../../../src/runtime/postgres/client.ts'
import { copyOut } from '../../../src/runtime/postgres/copy-out.ts'
import { dropLastFields, lastRow } from '../../../src/runtime/postgres/copy-rows.ts'
import { OversizedRow } from '../../../src/runtime/postgres/oversized-row.ts'
import { serverFields } from '../../support/server-fields.ts'

let client: pg.Client
beforeEach(async () => {
  client = await connectPostgres(createNodeContext(), {
    ...serverFields(inject('pgUrl')),
  })
})
afterEach(() => closePostgres(client))

async function all(sql: string, options = {}) {
  const batches: { text: string; rows: number }[] = []
  for await (const { bytes, rows } of copyOut(client, sql, options)) {
    batches.push({ text: new TextDecoder().decode(bytes), rows })
  }
  return batches
}

describe('copyOut', () => {
  it('yields whole rows, and leaves the connection ready for the next statement', async () => {
    const series = (n: number) => `COPY (SELECT n, 'x' FROM generate_series(1, ${n}) n) TO STDOUT`
    expect(await all(series(3))).toEqual([{ text: '1\tx\n2\tx\n3\tx\n', rows: 3 }])
    expect((await all(series(7), { batchRows: 3 })).map(({ rows }) => rows)).toEqual([3, 3, 1])
    expect(await all(series(0))).toEqual([])
    const big = await all(series(300_000), { batchBytes: 10_000 })
    expect(big.every(({ text }) => text.endsWith('\n') && text.length < 10_010)).toBe(true)
    expect(big.reduce((sum, { rows }) => sum + rows, 0)).toBe(300_000)
    expect(
      big
        .map(({ text }) => text)
        .join('')
        .split('\n')[299_999],
    ).toBe('300000\tx')
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: '1' }])
  })

  it('takes a row larger than a batch, in one piece', async () => {
    const sql = "COPY (SELECT repeat('é', n) FROM (VALUES (1), (3000000), (2)) v(n)) TO STDOUT"
    const batches = await all(sql, { batchBytes: 1000 })
    expect(batches.map(({ text }) => text.length)).toEqual([3_000_003, 3])
  })

  it('rejects with the error of the server, before the first row or after many', async () => {
    await expect(all('COPY nowhere TO STDOUT')).rejects.toMatchObject({ code: '42P01' })
    const late = 'COPY (SELECT 1 / (100000 - n) FROM generate_series(1, 200000) n) TO STDOUT'
    await expect(all(late)).rejects.toMatchObject({ code: '22012' })
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: '1' }])
  })

  it('holds the server back while nobody takes the rows', async () => {
    const rows = copyOut(
      client,
      "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 1000000)) TO STDOUT",
    )
    await rows.next()
    const before = process.memoryUsage().arrayBuffers
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 << 20)
    await rows.return(undefined)
  })

  it('rejects when the connection breaks', async () => {
    const rows = copyOut(client, 'COPY (SELECT pg_sleep(10)) TO STDOUT')
    const next = rows.next()
    setTimeout(
      () => (client.connection as unknown as { stream: { destroy(): void } }).stream.destroy(),
      50,
    )
    await expect(next).rejects.toThrow(/terminated/)
  })
})

describe('a row too large to hold', () => {
  it('loses its large fields and says so; its other fields and the rows around it come', async () => {
    const wide = "repeat('ä', 20000000)"
    const sql = `COPY (SELECT n, 'a\tb', CASE WHEN n = 2 THEN ${wide} WHEN n = 3 THEN repeat('x', 3000000) ELSE 'c' END, NULL,
      CASE WHEN n = 2 THEN repeat('\\', 2000000) ELSE 'd' END, repeat('k', 5000) FROM generate_series(1, 4) n) TO STDOUT`
    const rows: (string | number)[][] = []
    const leftOut: unknown[] = []
    for await (const batch of copyOut(client, sql, { largestRow: 3_500_000, batchRows: 3 })) {
      leftOut.push(batch.leftOut)
      const lines = new TextDecoder().decode(batch.bytes).trimEnd().split('\n')
      rows.push(...lines.map((line) => line.split('\t').map((f) => (f.length > 9 ? f.length : f))))
    }
    expect(rows).toEqual([
      ['1', 'a\\tb', 'c', '\\N', 'd', 5000],
      ['2', 'a\\tb', '\\N', '\\N', '\\N', 5000],
      ['3', 'a\\tb', 3_000_000, '\\N', 'd', 5000],
      ['4', 'a\\tb', 'c', '\\N', 'd', 5000],
    ])
    expect(leftOut).toEqual([
      [
        { row: 1, field: 2, bytes: 40_000_000 },
        { row: 1, field: 4, bytes: 4_000_000 },
      ],
      undefined,
    ])
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: '1' }])
  })

  it.each([1, 2, 3, 7, 1000])('is cut in the same way from pieces of %i bytes', (size) => {
    const large = 'x'.repeat(20_000)
    const input = Buffer.from(`1\t\t${large}\t\\N\t${large}y\tend\nrest`)
    const row = new OversizedRow(input.length - 4, 10_000)
    let rest: Buffer | undefined
    let at = 0
    for (; rest === undefined; at += size) rest = row.take(input.subarray(at, at + size))
    expect(Buffer.concat([rest, input.subarray(at)]).toString()).toBe('rest')
    expect(row.row().toString()).toBe('1\t\t\\N\t\\N\t\\N\tend\n')
    expect(row.leftOut).toEqual([
      { field: 2, bytes: 20_000 },
      { field: 4, bytes: 20_001 },
    ])
  })
})

describe('rows of COPY text', () => {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
  const bytes = (value: string) => new TextEncoder().encode(value)

  it('lose their last fields in place', () => {
    expect(text(dropLastFields(bytes('a\tb\tc\nd\t\\N\t\n'), 1))).toBe('a\tb\nd\t\\N\n')
    expect(text(dropLastFields(bytes('a\tb\tc\nd\te\tf\n'), 2))).toBe('a\nd\n')
    expect(text(dropLastFields(bytes('\t1\n\t2\n'), 1))).toBe('\n\n')
    expect(text(dropLastFields(bytes('1\t2\n3\t4\n'), 2))).toBe('\n\n')
    expect(text(dropLastFields(bytes('a\n'), 0))).toBe('a\n')
  })

  it('are found at the end', () => {
    expect(lastRow(bytes('a\nbc\n'))).toEqual([2, 5])
    expect(lastRow(bytes('a\n'))).toEqual([0, 2])
    expect(lastRow(bytes('\n\n'))).toEqual([1, 2])
  })
})
