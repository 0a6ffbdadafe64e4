import { once } from 'node:events'
import pg from 'pg'
import { from, to } from 'pg-copy-streams'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { AirbyteType, Cell, Column, RecordBatch } from '../../../src/protocol/index.ts'
import { numberText } from '../../../src/runtime/formats/decimal-text.ts'
import {
  appendField,
  decodeCopyText,
  encodeCopyText,
  splitRows,
} from '../../../src/runtime/formats/pg-copy-text.ts'
import { dateText } from '../../../src/runtime/formats/temporal-text.ts'

/** One column of cells as a batch. */
function batchOf(column: Column, cells: Cell[]): RecordBatch {
  return {
    kind: 'records',
    stream: 's',
    schema: [column],
    length: cells.length,
    columns: [cells],
    extractedAt: 0,
  }
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const native = (type: AirbyteType, pgType: string): Column => ({
  name: 'c',
  type,
  native: { dialect: 'postgres', type: pgType },
})

/** Per Airbyte type (and PostgreSQL type it is stored as) values that are nasty but storable. */
const NASTY: [type: AirbyteType, pgType: string, cells: Cell[], native?: boolean][] = [
  [
    'string',
    'text',
    ['', 'a', '\\N', 'tab\tnl\ncr\r\\', '\b\f\v\u0001\u001f\u007f', 'ü€😀', '\\.', ' x '],
  ],
  ['boolean', 'boolean', [true, false, null]],
  ['integer', 'bigint', [0, -0, -1, 9007199254740991, 9223372036854775807n, -9223372036854775808n]],
  [
    'number',
    'numeric',
    [0, -0, 1.5, 1e21, -1e-7, 123456789.123456, '1.50', '1.50e1', '-1E-3', '.5', '5.', '+007.5']
      .concat([
        '-0.0',
        '0.000',
        '12345678901234567890.123456789012345678',
        'NaN',
        'Infinity',
      ] as never)
      .concat([
        Number.NaN,
        Number.POSITIVE_INFINITY,
        Number.MIN_VALUE,
        Number.MAX_VALUE,
        10n,
      ] as never),
  ],
  ['number', 'numeric(38,10)', ['1.5', 2, '-0.00000000005', '0.00000000004', '1e3', -7.25], true],
  ['number', 'numeric(5)', ['1', 2, '99999'], true],
  [
    'number',
    'double precision',
    [0, -0, 0.1, 1e15, 123456789012345, 999999999999999, 1e-4, 0.00001234, 1.5e300, 5e-324].concat([
      'NaN',
      '-Infinity',
      '1e+20',
      '0.30000000000000004',
      // Between two doubles: PostgreSQL prints one that is nearer.
      ...[1e23, 5e22, -2.5e22, 2 ** 60, 2 ** 75, 1e22, 1e24],
    ] as never),
    true,
  ],
  [
    'number',
    'real',
    [0.1, 1e6, 123456, 999999, 1234567, 3.4e38, 1e-5, '1e+20', 16777216, 1e-45],
    true,
  ],
  ['binary', 'bytea', ['', 'AAECAw==', '/+8=']],
  [
    'date',
    'date',
    [
      '2026-11-23',
      '0001-01-01',
      '10000-01-01',
      '0044-03-15 BC',
      'infinity',
      '-infinity',
      '2026-01-05T10:00:00Z',
    ],
  ],
  [
    'time_without_timezone',
    'time',
    [
      '03:31:33',
      '03:31:33.432059',
      '03:31:33.430',
      '00:00',
      '24:00:00',
      '23:59:59.999999',
      '12:00:00Z',
    ],
  ],
  [
    'time_with_timezone',
    'timetz',
    [
      '03:31:33Z',
      '03:31:33.5+05:30',
      '03:31:33-08',
      '03:31:33+00:00',
      '03:31:33+01:02:03',
      '10:00:00',
    ],
  ],
  [
    'timestamp_without_timezone',
    'timestamp',
    [
      '2026-11-23T03:31:33',
      '2026-11-23T03:31:33.432000',
      '2026-11-23 03:31',
      '2026-11-23',
      'infinity',
    ]
      .concat(['0044-03-15T12:00:00 BC', '2026-11-23T24:00:00', '2016-12-31T23:59:60'])
      .concat([
        '2026-12-31T23:59:59.9999999',
        '294276-12-31T23:59:59.999999',
        '4713-01-01T00:00:00 BC',
      ]),
  ],
  [
    'timestamp_with_timezone',
    'timestamptz',
    ['2026-11-23T03:31:33.432059Z', '2026-11-23T03:31:33Z', '2026-11-23T05:31:33.50+02:00']
      .concat(['2026-01-01T00:30:00+01:00', '2024-02-29T23:59:59-0930', '2026-11-23T03:31:33'])
      .concat(['0001-01-01T00:00:00+14:00', '0044-03-15T12:00:00Z BC', 'infinity', '-infinity'])
      .concat([
        '12345-06-07T08:09:10Z',
        '2026-11-23 03:31:33.432059+00',
        '1969-12-31T23:59:59.000001Z',
      ])
      .concat([
        '2026-11-23T03:31:33.1234565Z',
        '2026-11-23T03:31:33.0000005Z',
        '2026-03-01T00:00:00.999+23:59',
      ]),
  ],
  [
    'object',
    'jsonb',
    [
      '{}',
      '[]',
      '{"bb":1,"a":[1.50e1,{"z":null}],"bb":"last"}',
      '{"é":1,"zz":2,"z":3,"":4}',
      'null',
      '"x"',
    ]
      .concat([
        '{"a\\tb":"\\u00e9\\/\\n\\u001f\\"\\\\","😀":"\\ud83d\\ude00"}',
        '[1e400,-0,0.10,1E-5,-0.0]',
      ])
      .concat([
        '[ true , false ]',
        '{"a":{"b":{"c":[[],{}]}}}',
        '{"\\u0061":1,"a":2}',
        '12345678901234567890.10',
      ])
      .concat(['{"\\"":1,"\\\\":2,"b":3}', '"\u007f\u2028"', '{"k":"a,b: c"}']),
  ],
  ['object', 'json', ['{ "b" : 1,\n"a":2 }'], true],
  ['array', 'integer[]', ['[1, 2, null]', '[]', '[[1,2],[3,4]]'], true],
  ['array', 'text[]', ['["a","b c","","null","x\\"y\\\\z","{}",null,"tab\\t","a,b"]'], true],
  ['array', 'double precision[]', ['[1e+300,-0,0.1,"Infinity"]', '[9.999999999999999e+22]'], true],
  ['array', 'boolean[]', ['[true,false,null]'], true],
  ['array', 'numeric[]', ['[1.50,12345678901234567890.10]'], true],
  ['array', 'jsonb[]', ['[{"b":1,"a":[1]}]', '["x",1.50,true,[1,[]],null,"null"]'], true],
  ['array', 'json[]', ['["x", {"b" : 1,  "b":2}, [1], null]'], true],
  ['array', 'box[]', ['["(1,2),(0,0)",null,"(3,4),(1,1)"]'], true],
  ['string', 'uuid', ['0190b6a5-5a4f-7cc3-8b1d-2f6a7f1f0a11'], true],
  ['string', 'inet', ['10.0.0.1', '10.0.0.0/8', '::1'], true],
  ['string', 'interval', ['1 day 02:03:04', '-3 mons'], true],
]

describe('pg-copy-text', () => {
  let client: pg.Client
  beforeAll(async () => {
    client = new pg.Client(inject('pgUrl'))
    await client.connect()
    await client.query("SET TimeZone = 'UTC'")
  })
  afterAll(() => client.end())

  /** What PostgreSQL prints after it has read these bytes into a column of this type. */
  async function throughPostgres(pgType: string, bytes: Uint8Array): Promise<string> {
    await client.query(
      `DROP TABLE IF EXISTS pg_temp.t; CREATE TEMP TABLE t (n serial, c ${pgType})`,
    )
    const copyIn = client.query(from('COPY t (c) FROM STDIN'))
    copyIn.end(bytes)
    await once(copyIn, 'finish')
    const parts: Buffer[] = []
    for await (const part of client.query(to('COPY (SELECT c FROM t ORDER BY n) TO STDOUT')))
      parts.push(part as Buffer)
    return Buffer.concat(parts).toString()
  }

  for (const [type, pgType, cells, isNative] of NASTY) {
    const column: Column = isNative ? native(type, pgType) : { name: 'c', type }

    it(`writes ${type} as PostgreSQL prints ${pgType}`, async () => {
      const encoded = encodeCopyText(batchOf(column, [...cells, null]))
      expect(text(encoded)).toBe(await throughPostgres(pgType, encoded))
    })

    it(`reads ${pgType} back into ${type} cells that print the same`, () => {
      const encoded = encodeCopyText(batchOf(column, [...cells, null]))
      const decoded = decodeCopyText(encoded, [column])
      expect(decoded.length).toBe(cells.length + 1)
      expect(text(encodeCopyText(decoded))).toBe(text(encoded))
    })
  }

  it('prints what PostgreSQL prints, for random timestamps, numbers and JSON', async () => {
    const random = generator(20261123)
    const pick = (n: number) => Math.floor(random() * n)
    const stamps = Array.from({ length: 3000 }, () => {
      const two = (n: number) => String(n).padStart(2, '0')
      const date = `${String(1 + pick(11000)).padStart(4, '0')}-${two(1 + pick(12))}-${two(1 + pick(28))}`
      const time = `${two(pick(24))}:${two(pick(60))}:${two(pick(60))}`
      const fraction = ['', `.${pick(10)}`, `.${String(pick(1e6)).padStart(6, '0')}`, '.12345678'][
        pick(4)
      ]
      const zone = [
        'Z',
        '',
        '+00:00',
        `${'+-'[pick(2)]}${two(pick(14))}:${two(pick(60))}`,
        '-0330',
      ][pick(5)]
      return `${date}T${time}${fraction}${zone}`
    })
    const doubles = Array.from({ length: 3000 }, () => (random() - 0.5) * 10 ** (pick(60) - 30))
    const json = (depth: number): string => {
      const kind = pick(depth > 3 ? 4 : 6)
      if (kind === 0) return String(doubles[pick(3000)])
      if (kind === 1) return JSON.stringify(String.fromCodePoint(1 + pick(0xd000)).repeat(pick(4)))
      if (kind === 2) return ['true', 'false', 'null', '1E+3', '-0', '0.00'][pick(6)] as string
      if (kind === 3) return `"\\u00${pick(10)}${1 + pick(9)}\\n"`
      const items = Array.from({ length: pick(6) }, () => json(depth + 1))
      if (kind === 4) return `[${items.join(' ,')}]`
      return `{${items.map((item) => `${JSON.stringify('aé😀\n"'.slice(0, pick(7)).toWellFormed())}:${item}`).join(',')}}`
    }
    const documents = Array.from({ length: 3000 }, () => json(0))
    const cases: [Column, string, Cell[]][] = [
      [{ name: 'c', type: 'timestamp_with_timezone' }, 'timestamptz', stamps],
      [{ name: 'c', type: 'timestamp_without_timezone' }, 'timestamp', stamps],
      [{ name: 'c', type: 'number' }, 'numeric', doubles],
      [native('number', 'double precision'), 'double precision', doubles],
      [native('number', 'real'), 'real', doubles],
      [native('number', 'numeric(60,4)'), 'numeric(60,4)', doubles],
      [{ name: 'c', type: 'object' }, 'jsonb', documents],
    ]
    for (const [column, pgType, cells] of cases) {
      const encoded = text(encodeCopyText(batchOf(column, cells)))
      const printed = await throughPostgres(pgType, new TextEncoder().encode(encoded))
      const [ours, theirs] = [encoded.split('\n'), printed.split('\n')]
      const wrong = ours.findIndex((line, index) => line !== theirs[index])
      expect(wrong < 0 ? null : [cells[wrong], ours[wrong], theirs[wrong]]).toBeNull()
    }
  })

  it('leaves a value that its type cannot hold as it is, for the database to refuse', () => {
    const date: Column = { name: 'c', type: 'date' }
    expect(text(encodeCopyText(batchOf(date, ['next\ttuesday'])))).toBe('next\\ttuesday\n')
  })

  it('writes a column that the batch lacks as NULL, in the order asked for', () => {
    const batch = batchOf({ name: 'a', type: 'string' }, ['x'])
    const columns: Column[] = [{ name: 'b', type: 'string' }, ...batch.schema]
    expect(text(encodeCopyText(batch, columns))).toBe('\\N\tx\n')
  })

  it('adds a field to each row, as it stands in a part of a larger buffer', () => {
    const whole = new TextEncoder().encode('xxä\t1\n\\N\tb\n\t\n')
    const added = appendField(whole.subarray(2), ['u', 'd', ''])
    expect(new TextDecoder().decode(added)).toBe('ä\t1\tu\n\\N\tb\td\n\t\t\n')
  })

  it('finds rows by their newline', () => {
    expect([...splitRows(new TextEncoder().encode('a\\nb\tc\n\nd\n'))]).toEqual([
      [0, 7],
      [7, 8],
      [8, 10],
    ])
  })
})

/** A small deterministic random number generator (mulberry32). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

describe('decodeCopyText', () => {
  it('makes a number of every decimal that prints as it was written, and keeps the text of others', () => {
    const texts = [
      '0',
      '-0',
      '1',
      '-1',
      '0.5',
      '-0.5',
      '00',
      '01',
      '1.',
      '.5',
      '1.50',
      '0.05',
      '1e5',
    ]
    const more = [
      '123456789012345',
      '1234567890123456',
      '0.0000001',
      '12345.678901234567',
      '-',
      'NaN',
    ]
    const all = [
      ...texts,
      ...more,
      ...Array.from({ length: 500 }, (_, i) => String((i * 7919) / 1000)),
    ]
    const column: Column = { name: 'n', type: 'number' }
    const [cells = []] = decodeCopyText(new TextEncoder().encode(`${all.join('\n')}\n`), [
      column,
    ]).columns
    const printed = cells.map((cell) => (typeof cell === 'number' ? numberText(cell) : cell))
    expect(printed).toEqual(all)
    expect(cells.slice(0, 1)).toEqual([0])
    expect(typeof cells[all.indexOf('0.5')]).toBe('number')
  })

  it('keeps the era of a date', () => {
    expect(dateText('0044-03-15 BC')).toBe('0044-03-15 BC')
  })

  it('refuses a row that has too few fields', () => {
    const columns: Column[] = [
      { name: 'a', type: 'string' },
      { name: 'b', type: 'string' },
    ]
    expect(() => decodeCopyText(new TextEncoder().encode('1\t2\n3\n'), columns)).toThrow('fields')
  })
})
