import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { Column } from '../../../src/protocol/index.ts'
import { csvBytes, csvHeader, csvRecords } from '../../../src/runtime/formats/csv.ts'
import { gzip, jsonlBytes } from '../../../src/runtime/formats/jsonl.ts'
import { linesOf, membersOf } from '../../../src/runtime/formats/jsonl-read.ts'
import { collect, concat } from '../../../src/staging/bytes.ts'

const COLUMNS: Column[] = [
  { name: 'id', type: 'integer' },
  { name: 'amount', type: 'number' },
  { name: 'a "name"', type: 'string' },
  { name: 'data', type: 'object' },
]
const ROWS = {
  length: 3,
  columns: [
    [9007199254740993n, -0, null],
    ['0.10000000000000000001', Number.NaN, 1e300],
    ['çà,"x"\r\n', '', ' padded '],
    ['{"n": 12345678901234567890,\n "x": "}"}', 'null', null],
  ],
}

const text = (parts: Iterable<Uint8Array>) => new TextDecoder().decode(concat([...parts]))

async function* pieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

describe('JSON Lines', () => {
  it('prints numbers with every digit and JSON on one line', () => {
    expect(text(jsonlBytes(COLUMNS, ROWS)).split('\n')).toEqual([
      String.raw`{"id":9007199254740993,"amount":0.10000000000000000001,"a \"name\"":"çà,\"x\"\r\n","data":{"n": 12345678901234567890,  "x": "}"}}`,
      String.raw`{"id":-0,"amount":"NaN","a \"name\"":"","data":null}`,
      String.raw`{"id":null,"amount":1e+300,"a \"name\"":" padded ","data":null}`,
      '',
    ])
  })

  it('gives the members of a line as their own text', async () => {
    const lines: string[] = []
    const bytes = concat([...jsonlBytes(COLUMNS, ROWS)])
    for await (const line of linesOf(pieces(bytes, 7))) lines.push(line)
    expect(lines).toHaveLength(3)
    expect([...membersOf(lines[0] ?? '')]).toEqual([
      ['id', '9007199254740993'],
      ['amount', '0.10000000000000000001'],
      ['a "name"', JSON.stringify('çà,"x"\r\n')],
      ['data', '{"n": 12345678901234567890,  "x": "}"}'],
    ])
    expect([...membersOf(' { } ')]).toEqual([])
    for (const broken of ['', '[1]', '{"a"', '{"a":', '{"a" 1}', '{"a":1']) {
      expect(() => membersOf(broken)).toThrow(SyntaxError)
    }
  })

  it('compresses as it passes', async () => {
    const bytes = Uint8Array.from({ length: 1_000_000 }, (_, i) => i % 13)
    const zipped = await collect(gzip(pieces(bytes, 10_001)))
    expect(Buffer.compare(gunzipSync(zipped), bytes)).toBe(0)
  })

  it('passes on the failure of what it compresses', async () => {
    const failing = async function* () {
      yield new Uint8Array(10)
      throw new Error('source broke')
    }
    await expect(collect(gzip(failing()))).rejects.toThrow('source broke')
  })
})

describe('CSV', () => {
  it('tells a null from an empty text, and quotes what needs it', () => {
    expect(text([csvHeader(COLUMNS), ...csvBytes(COLUMNS, ROWS)])).toBe(
      [
        '"id","amount","a ""name""","data"',
        '9007199254740993,0.10000000000000000001,"çà,""x""\r\n","{""n"": 12345678901234567890,\n ""x"": ""}""}"',
        '-0,NaN,"",null',
        ',1e+300," padded ",',
        '',
      ].join('\r\n'),
    )
  })

  it.each([1, 2, 3, 1000])('reads its records again, in pieces of %i bytes', async (size) => {
    const bytes = concat([...csvBytes(COLUMNS, ROWS)])
    const records: (string | null)[][] = []
    for await (const record of csvRecords(pieces(bytes, size))) records.push(record)
    expect(records).toEqual([
      ['9007199254740993', '0.10000000000000000001', 'çà,"x"\r\n', ROWS.columns[3]?.[0]],
      ['-0', 'NaN', '', 'null'],
      [null, '1e+300', ' padded ', null],
    ])
  })
})

describe('byte order marks', () => {
  const columns: Column[] = [
    { name: '\uFEFFfirst', type: 'string' },
    { name: 'second', type: 'string' },
  ]
  const cells = ['\uFEFF', '\uFEFFx', 'x\uFEFF', '\uFEFF\uFEFF"', '\uFEFF,\uFEFF']
  const rows = { length: cells.length, columns: [cells, cells.toReversed()] }
  const expected = cells.map((cell, i) => [cell, cells.at(-1 - i)])

  it.each([1, 2, 3, 1000])('stay in every field of CSV, read %d bytes at a time', async (size) => {
    const bytes = concat([csvHeader(columns), ...csvBytes(columns, rows)])
    const records: (string | null)[][] = []
    for await (const record of csvRecords(pieces(bytes, size))) records.push(record)
    expect(records).toEqual([['\uFEFFfirst', 'second'], ...expected])
  })

  it.each([1, 2, 3, 1000])('stay in JSON Lines, read %d bytes at a time', async (size) => {
    const found: unknown[] = []
    for await (const line of linesOf(pieces(concat([...jsonlBytes(columns, rows)]), size))) {
      found.push([...membersOf(line).values()].map((value) => JSON.parse(value)))
    }
    expect(found).toEqual(expected)
  })
})
