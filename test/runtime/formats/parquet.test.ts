import { snappyUncompress } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import type { Cell, Column } from '../../../src/protocol/index.ts'
import { ParquetFile, parquetColumns } from '../../../src/runtime/formats/parquet.ts'
import { exactNumber } from '../../../src/runtime/formats/parquet-cells.ts'
import { readParquet } from '../../../src/runtime/formats/parquet-read.ts'
import { snappyCompress } from '../../../src/runtime/formats/parquet-snappy.ts'
import { concat } from '../../../src/staging/bytes.ts'

const numeric = (type: string) => ({ dialect: 'postgres', type })

interface Problem {
  row: number
  change: string
  reason: string
}

function write(columns: Column[], batches: Cell[][][], problems: Problem[] = []): Uint8Array {
  const file = new ParquetFile(parquetColumns(columns))
  const parts: Uint8Array[] = []
  for (const batch of batches) {
    const length = batch[0]?.length ?? 0
    columns.forEach((_, i) => {
      file.append(i, batch[i], length, (row, change, reason) =>
        problems.push({ row, change, reason }),
      )
    })
    for (const part of file.endRows(length)) parts.push(part.slice())
  }
  for (const part of file.end()) parts.push(part.slice())
  return concat(parts)
}

async function read(bytes: Uint8Array, columns: Column[]) {
  const buffer = bytes.slice().buffer
  const cells: Cell[][] = columns.map(() => [])
  let groups = 0
  const file = {
    byteLength: buffer.byteLength,
    slice: (start: number, end?: number) => buffer.slice(start, end),
  }
  for await (const group of readParquet(file, columns)) {
    groups += 1
    group.columns.forEach((column, i) => {
      for (const cell of column) cells[i]?.push(cell)
    })
  }
  return { cells, groups }
}

/** Writes one column and reads it back, with what could not be kept. */
async function through(column: Omit<Column, 'name'>, cells: Cell[]) {
  const columns = [{ name: 'c', ...column }]
  const problems: Problem[] = []
  const bytes = write(columns, [[cells]], problems)
  return { cells: (await read(bytes, columns)).cells[0], problems }
}

function random(seed: number) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

describe('Parquet', () => {
  it('keeps 64-bit integers, and tells of those beyond', async () => {
    const kept = [0, -1, 2 ** 31, -(2 ** 31) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]
    const large = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n]
    const { cells, problems } = await through({ type: 'integer' }, [
      ...[...kept, ...large],
      ...[2n ** 63n, 1.5],
    ])
    expect(cells).toEqual([...kept, ...large, null, null])
    expect(problems.map(({ row, change }) => [row, change])).toEqual([
      [9, 'NULLED'],
      [10, 'NULLED'],
    ])
  })

  it('keeps every digit of decimals of any precision', async () => {
    const next = random(7)
    for (const precision of [1, 4, 9, 15, 16, 18, 19, 28, 37, 38]) {
      for (const scale of [0, 1, precision].filter((s) => s <= precision)) {
        const texts = Array.from({ length: 40 }, () => {
          const digits = Array.from({ length: precision }, () => Math.floor(next() * 10)).join('')
          const whole = digits.slice(0, precision - scale).replace(/^0+(?=\d)/, '') || '0'
          const text = scale ? `${whole}.${digits.slice(precision - scale)}` : whole
          return next() < 0.5 ? `-${text}` : text
        })
        const type = { type: 'number' as const, native: numeric(`numeric(${precision},${scale})`) }
        const { cells, problems } = await through(type, texts)
        expect(problems).toEqual([])
        expect(cells?.map((cell) => exactNumber(String(cell)))).toEqual(
          texts.map((text) => (/[1-9]/.test(text) ? exactNumber(text) : 0)),
        )
      }
    }
  })

  it('refuses decimals that would lose a digit', async () => {
    const type = { type: 'number' as const, native: numeric('numeric(5,2)') }
    const { cells, problems } = await through(type, [
      '1.23',
      '1.234',
      '1000',
      'NaN',
      '1.230',
      1e-7,
      5e2,
    ])
    expect(cells).toEqual([1.23, null, null, null, 1.23, null, 500])
    expect(problems.map(({ row }) => row)).toEqual([1, 2, 3, 5])
  })

  it('records the digits that a double cannot hold', async () => {
    const { cells, problems } = await through({ type: 'number' }, [
      ...['0.1', '1e3', '123456789012345678901', '0.30000000000000000001'],
      ...[Number.NaN, Infinity, -0],
    ])
    expect(cells).toEqual([0.1, 1000, 123456789012345680000, 0.3, Number.NaN, Infinity, -0])
    expect(problems.map(({ row, reason }) => [row, reason.split('exactly ')[1]])).toEqual([
      [2, '123456789012345678901'],
      [3, '0.30000000000000000001'],
    ])
  })

  it('keeps numbers without a bound as text', async () => {
    const type = { type: 'number' as const, native: numeric('numeric') }
    const texts = ['NaN', '1e400', '0.10', '123456789012345678901234567890123456789012345']
    expect((await through(type, texts)).cells).toEqual(texts)
  })

  it('keeps times to the microsecond, and tells of what is not a time', async () => {
    const { cells, problems } = await through({ type: 'timestamp_with_timezone' }, [
      ...['2026-11-23T03:31:33.432059Z', '2026-11-23 03:31:33+05:30', '0001-01-01T00:00:00Z'],
      ...[
        '9999-12-31T23:59:59.999999Z',
        '1969-12-31T23:59:59.999999-00:00',
        '2024-02-30T00:00:00Z',
      ],
      ...['infinity', '2026-11-23', '2026-11-23T03:31:33.4320591Z', '0044-03-15T00:00:00Z BC'],
    ])
    expect(cells).toEqual([
      ...['2026-11-23T03:31:33.432059Z', '2026-11-22T22:01:33Z', '0001-01-01T00:00:00Z'],
      ...['9999-12-31T23:59:59.999999Z', '1969-12-31T23:59:59.999999Z', null, null, null],
      ...['2026-11-23T03:31:33.432059Z', null],
    ])
    expect(problems.map(({ row, change }) => `${row} ${change}`)).toEqual([
      ...['5 NULLED', '6 NULLED', '7 NULLED', '8 TRUNCATED', '9 NULLED'],
    ])
  })

  it('agrees with the calendar on every day of a thousand random ones', async () => {
    const next = random(3)
    const days = Array.from({ length: 1000 }, () => {
      const date = new Date(Math.floor(next() * 3_600_000) * 86_400_000 - 62_000_000_000_000)
      return date.toISOString().slice(0, 10)
    })
    expect((await through({ type: 'date' }, days)).cells).toEqual(days)
  })

  it('keeps hostile text, and long text among short', async () => {
    const texts = [
      '',
      '\u0000',
      '🐘',
      'é'.repeat(40),
      'x'.repeat(500_000),
      'null',
      '\ufeffbom',
      'a\r\n',
    ]
    expect((await through({ type: 'string' }, texts)).cells).toEqual(texts)
  })

  it('keeps booleans and bytes', async () => {
    const flags = Array.from({ length: 3001 }, (_, i) => (i % 5 === 0 ? null : i % 3 === 0))
    expect((await through({ type: 'boolean' }, flags)).cells).toEqual(flags)
    expect((await through({ type: 'binary' }, ['AP8=', '', '%'])).cells).toEqual(['AP8=', '', null])
  })

  it('writes random nulls over many pages and row groups', async () => {
    const next = random(11)
    const columns: Column[] = [
      { name: 'id', type: 'integer' },
      { name: 'text', type: 'string' },
      { name: 'none', type: 'date' },
    ]
    const batches = Array.from({ length: 60 }, (_, b) => [
      Array.from({ length: 5000 }, (_, i) => (next() < 0.3 ? null : b * 5000 + i)),
      Array.from({ length: 5000 }, () => (next() < 0.5 ? null : String(next()))),
      new Array<Cell>(5000).fill(null),
    ])
    const { cells, groups } = await read(write(columns, batches), columns)
    expect(groups).toBe(3)
    expect(cells).toEqual(columns.map((_, c) => batches.flatMap((batch) => batch[c] ?? [])))
  })

  it('writes a file without rows and one with a thousand columns', async () => {
    expect((await read(write([{ name: 'a', type: 'string' }], []), [])).groups).toBe(0)
    const wide = Array.from({ length: 1000 }, (_, i) => ({
      name: `c${i}`,
      type: 'integer' as const,
    }))
    const { cells } = await read(write(wide, [wide.map((_, i) => [i])]), wide)
    expect(cells.map(([cell]) => cell)).toEqual(wide.map((_, i) => i))
  })
})

describe('snappy', () => {
  it.each([0, 1, 3, 4, 14, 15, 16, 60, 61, 256, 257, 65_535, 65_536, 65_537, 200_000])(
    'gives back %i bytes of every kind',
    (length) => {
      const next = random(length + 1)
      const kinds: ((i: number) => number)[] = [
        () => 0,
        () => Math.floor(next() * 256),
        (i) => i % 7,
        (i) => (i >> 8) & 255,
        () => Math.floor(next() * 3),
        (i) => (i % 1000 < 70 ? 65 : Math.floor(next() * 256)),
      ]
      for (const kind of kinds) {
        const input = Uint8Array.from({ length }, (_, i) => kind(i))
        const output = new Uint8Array(length)
        if (length > 0) snappyUncompress(snappyCompress(input), output)
        expect(Buffer.compare(output, input)).toBe(0)
      }
    },
  )
})

it('keeps every digit of an unsigned bigint, which is a number to Airbyte', async () => {
  const native = { dialect: 'mysql', type: 'bigint(20) unsigned' }
  const cells = ['18446744073709551615', 7]
  expect(await through({ type: 'number', native }, cells)).toEqual({ cells, problems: [] })
  const signed = { type: 'integer', native: { dialect: 'mysql', type: 'bigint(20)' } } as const
  expect(await through(signed, [-5])).toEqual({ cells: [-5], problems: [] })
})
