/**
 * Texts that are not UTF-8, of a database that has no encoding and of one that says UTF-8: by both
 * roads they are null and recorded, and the stream goes on.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import postgresDestination from '../../../connectors/destinations/postgres/index.ts'
import postgresSource from '../../../connectors/sources/postgres/index.ts'
import type { JsonObject, RecordChange } from '../../../src/protocol/index.ts'
import { createDatabase, ctx, type TestDatabase } from '../../cdc/postgres/support.ts'
import { collect, configure, readEvents } from '../reading.ts'
import { begin, copy, type LogStart, type Road, type Sending } from './copy.ts'

let copies: TestDatabase
beforeAll(async () => {
  copies = await createDatabase(inject('pgUrl'), 'unreadable_copies')
})
afterAll(() => copies?.close())

const ASCII = "ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'"

describe.each([
  { title: 'a database without an encoding', name: 'unreadable_ascii', options: ASCII },
  { title: 'a database in UTF-8', name: 'unreadable_utf8', options: '' },
])('texts of $title', ({ name, options }) => {
  let db: TestDatabase
  let start: LogStart
  const configOf = (database: TestDatabase, schema: string): JsonObject => ({
    ...(database.config as unknown as JsonObject),
    ...{ schema, schemas: [schema] },
  })
  const sending = (stream: string): Sending => ({
    ...{ ctx, source: postgresSource, config: configOf(db, 'public'), stream },
  })
  beforeAll(async () => {
    db = await createDatabase(inject('pgUrl'), name, options)
    // Whatever the bytes are, no check stands between.
    await db.sql('CREATE CAST (bytea AS text) WITHOUT FUNCTION')
    const text = (hex: string) => `('\\x${hex}'::bytea)::text`
    await db.sql('CREATE TABLE notes (id int PRIMARY KEY, a text, b varchar(20), words text[])')
    start = await begin(sending('notes'))
    await db.sql(`INSERT INTO notes VALUES
      (1, ${text('c3a9')}, 'plain', ARRAY[${text('c3a9')}]),
      (2, ${text('e974e9')}, ${text('ff')}, ARRAY['x', ${text('e9')}]),
      (3, 'tab' || chr(9) || 'back\\slash', ${text('5cc3')}, NULL)`)
    await db.sql('CREATE TABLE named (name text PRIMARY KEY)')
    await db.sql(`INSERT INTO named VALUES (${text('e9')})`)
  })
  afterAll(() => db?.close())

  it.each<Road>(['snapshot', 'log'])(
    'are null and recorded if they are not UTF-8, by the %s',
    async (road) => {
      const target = {
        ...{ destination: postgresDestination, namespace: name, config: configOf(copies, name) },
      }
      const { plan } = await copy(sending('notes'), road, start, target)
      const { rows } = await copies.sql(
        `SELECT id, a, b, words::text, _airbyte_meta FROM ${name}.${plan.target.table} ORDER BY id`,
      )
      const found = rows.map(({ _airbyte_meta: meta, ...row }) => [
        ...Object.values(row),
        (JSON.parse(meta) as { changes: RecordChange[] }).changes.map(
          ({ field, change, reason }) => `${field} ${change} ${reason}`,
        ),
      ])
      const noted = (field: string) => `${field} NULLED SOURCE_SERIALIZATION_ERROR`
      expect(found).toEqual([
        ['1', 'é', 'plain', '{é}', []],
        ['2', null, null, null, [noted('a'), noted('b'), noted('words')]],
        ['3', 'tab\tback\\slash', null, null, [noted('b')]],
      ])
    },
  )

  it('fail the read if it would have to go on from one of them', async () => {
    const { streams } = await postgresSource.discover(ctx, sending('named').config)
    const stream = streams.find((found) => found.name === 'named')
    if (!stream) throw new Error('not discovered')
    const reading = { source: postgresSource, config: sending('named').config, ctx }
    const events = await collect(readEvents(reading, [configure(stream)])).catch((error) => error)
    expect(JSON.stringify(events)).toContain('A key of public.named is a text that is not UTF-8.')
  })
})
