import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import type { ChangeEvent } from '../../../src/cdc/postgres/index.ts'
import { createDatabase, follow, summary, type TestDatabase } from './support.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createDatabase(inject('pgUrl'), 'cdc_copied')
})
afterAll(() => db.close())

const kinds = (events: ChangeEvent[]) =>
  events.flatMap(({ type }) => (type === 'changes' || type === 'copied' ? [type] : []))

it('copies rows for as long as the log tells them whole, and keeps their order where it does not', async () => {
  await db.sql(`CREATE TABLE t (id int PRIMARY KEY, name text, large text);
    ALTER TABLE t ALTER large SET STORAGE EXTERNAL`)
  const [plain, copying] = [await follow(db, 't'), await follow(db, 't')]
  const both = async () => {
    const [events, copied] = [await plain.catchUp(), await copying.catchUp({ copyText: true })]
    expect(summary(copied)).toEqual(summary(events))
    return copied
  }
  await db.sql(`INSERT INTO t VALUES (1, 'a', repeat('x', 5000)), (2, E'tab\\t and \\\\', NULL), (3, 'c', NULL);
    UPDATE t SET name = 'b' WHERE id = 2; DELETE FROM t WHERE id = 3`)
  const whole = await both()
  expect(kinds(whole)).toEqual(['copied'])
  expect(summary(whole).slice(-2)).toEqual([
    ['u', 2, 'b', null],
    ['d', 3, null, null],
  ])
  await db.sql(`INSERT INTO t VALUES (4, 'd', NULL); UPDATE t SET name = 'large unchanged' WHERE id = 1;
    UPDATE t SET name = 'after it' WHERE id = 2; UPDATE t SET id = 9 WHERE id = 1; DELETE FROM t WHERE id = 2`)
  const mixed = await both()
  expect(kinds(mixed)).toEqual(['copied', 'changes'])
  expect(summary(mixed).map((row) => (row as unknown[]).slice(0, 2))).toEqual([
    ...[['i', 4] as const, ['u', 1] as const, ['u', 2] as const],
    ...[['d', 1] as const, ['u', 9] as const, ['d', 2] as const],
  ])
  await db.sql(`ALTER TABLE t REPLICA IDENTITY FULL; DELETE FROM t WHERE id = 4`)
  const deleted = await both()
  expect(kinds(deleted)).toEqual(['copied'])
  expect(summary(deleted).at(-1)).toEqual(['d', 4, 'd', null])
})

it('makes columns of a relation whose rows are wanted otherwise', async () => {
  await db.sql('CREATE TABLE o (id int PRIMARY KEY, a text, b text)')
  const id = { name: 'id', type: 'integer' } as const
  const a = { name: 'a', type: 'string' } as const
  const b = { name: 'b', type: 'string' } as const
  const gone = { name: 'gone', type: 'string' } as const
  const wanted = { selected: [id, b], turned: [b, id], absent: [id, a, gone] }
  for (const [name, columns] of Object.entries(wanted)) {
    const feed = await follow(db, 'o', () => ({ stream: name, columns, key: ['id'] }))
    await db.sql(`INSERT INTO o VALUES (1, 'one', 'eins'); DELETE FROM o`)
    const events = await feed.catchUp({ copyText: true })
    expect(kinds(events), name).toEqual([name === 'selected' ? 'copied' : 'changes'])
    const told = { id: 1, a: 'one', b: 'eins', gone: null }
    expect(summary(events)[0], name).toEqual(['i', ...columns.map((column) => told[column.name])])
  }
})

it('makes columns of a row with a text that is in no encoding, or with a large one', async () => {
  const bytes = await createDatabase(
    inject('pgUrl'),
    'cdc_copied_bytes',
    `ENCODING SQL_ASCII TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`,
  )
  try {
    await bytes.sql('CREATE TABLE t (id int PRIMARY KEY, name text)')
    const feed = await follow(bytes, 't')
    const kindsOf = async (value: string) => {
      await bytes.sql(`INSERT INTO t SELECT count(*), ${value} FROM t`)
      const events = await feed.catchUp({ copyText: true })
      return [...kinds(events), (summary(events)[0] as unknown[])[2]]
    }
    expect(await kindsOf(`'é'`)).toEqual(['copied', 'é'])
    expect(await kindsOf(`E'\\xe9'`)).toEqual(['changes', null])
    expect((await kindsOf(`repeat('x', 2 << 20)`))[0]).toBe('changes')
  } finally {
    await bytes.close()
  }
})
