import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest'
import { listRelations } from '../../../connectors/sources/postgres/relations.ts'
import { type ChangeEvent, toChangeLog } from '../../../src/cdc/postgres/index.ts'
import { decodeCopyText, encodeCopyText } from '../../../src/runtime/formats/pg-copy-text.ts'
import { copyOut } from '../../../src/runtime/postgres/copy-out.ts'
import { createDatabase, follow, summary, type TestDatabase } from './support.ts'

/** Literals of each type, of every kind that prints in its own way. */
const VALUES: Record<string, string[]> = {
  smallint: ['-32768', '0'],
  bigint: ['9223372036854775807', '-9007199254740993', '999999999999999', '-99999999999999'],
  numeric: ['NaN', 'Infinity', '-0.10', '12345678901234567890.123456789', '1e-20'],
  'numeric(10,2)': ['1.5', '-0.01'],
  real: ['NaN', '1.1', '-3.4e38', '1e-7'],
  'double precision': ['Infinity', '0.1', '1e300', '-0'],
  money: ['-1234.5', '0', '1000000'],
  boolean: ['t', 'f'],
  text: ['', 'é ünï 漢字 🎉', 'tab\tnewline\nback\\slash', '\uFEFFmark'],
  'character(5)': ['ab'],
  uuid: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  bytea: ['\\x00ff5c', ''],
  date: ['2026-11-24', '0044-03-15 BC', '20000-01-01', 'infinity'],
  time: ['23:59:59.123456', '24:00:00'],
  timetz: ['12:00:00+05:30', '12:00:00-08'],
  timestamp: ['2026-11-24 01:02:03.4', '0044-03-15 00:00:00 BC', '-infinity'],
  timestamptz: ['2026-11-24 01:02:03.000001+05', '0044-03-15 00:00:00+00 BC', 'infinity'],
  interval: ['1 year 2 mons -3 days 04:05:06.7', '-1 s'],
  json: ['{"b": 1, "a": [ null ]}', 'null'],
  jsonb: ['{"b": 1, "a": [ null ]}', '12345678901234567890'],
  inet: ['10.0.0.1/8', '::1'],
  'bit(3)': ['101'],
  tstzrange: ['[2026-01-01,)', 'empty'],
  'integer[]': ['{1,NULL,3}', '{{1,2},{3,4}}', '{}'],
  'text[]': ['{"a,b","c\\"d",NULL,"NULL",é}'],
  'timestamptz[]': ['{2026-01-01 00:00:00+00}'],
  'jsonb[]': ['{"{\\"a\\": 1}"}'],
  point: ['(1.5,-2)'],
}

/** The rows of a log as they are put into a table. */
const textOf = (events: ChangeEvent[]) =>
  events
    .map((event) => {
      if (event.type === 'copied') return new TextDecoder().decode(event.batch.bytes)
      return event.type === 'changes'
        ? new TextDecoder().decode(encodeCopyText(toChangeLog(event.batch)))
        : ''
    })
    .join('')

let db: TestDatabase
beforeAll(async () => {
  db = await createDatabase(inject('pgUrl'), 'cdc_types')
})
afterEach(() => db.dropSlots())
afterAll(() => db.close())

it.each(Object.entries(VALUES))(
  'a %s is the same from the log as from the table',
  async (type, values) => {
    const name = `t_${Object.keys(VALUES).indexOf(type)}`
    await db.sql(`CREATE TABLE ${name} (id int PRIMARY KEY, v ${type})`)
    const [relation] = await listRelations(db.client, [], { schema: 'public', name })
    const columns = relation?.columns.map(({ column }) => column) ?? []
    const describe = () => ({ stream: name, columns, key: ['id'] })
    const [feed, copying] = [await follow(db, name, describe), await follow(db, name, describe)]
    await db.client.query(
      `INSERT INTO ${name} SELECT n, v::text::${type} FROM unnest($1::text[]) WITH ORDINALITY u(v, n)`,
      [[...values, null]],
    )
    const list = relation?.columns.map((column) => column.type.expression(column.name)).join(', ')
    const copied: unknown[] = []
    for await (const { bytes } of copyOut(
      db.client,
      `COPY (SELECT ${list} FROM ${name} ORDER BY id) TO STDOUT`,
    )) {
      const [ids, cells] = decodeCopyText(bytes, columns).columns
      ids?.forEach((id, row) => {
        copied.push(['i', id, cells?.[row]])
      })
    }
    const changes = await feed.catchUp()
    const logged = summary(changes)
    expect(logged).toEqual(copied)
    expect(logged.length).toBe(values.length + 1)
    const asText = await copying.catchUp({ copyText: true })
    expect(summary(asText)).toEqual(logged)
    expect(textOf(asText)).toBe(textOf(changes))
    expect(asText.some((event) => event.type === 'copied')).toBe(type !== 'money')
  },
)
