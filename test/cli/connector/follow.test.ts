import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { createDatabase, type TestDatabase } from '../../cdc/postgres/support.ts'
import { type Ended, runHere, workFolder } from './process.ts'

const folder = workFolder()
let db: TestDatabase
beforeAll(async () => {
  db = await createDatabase(inject('pgUrl'), 'cdc_cli')
})
afterAll(async () => {
  await db.close()
  folder.remove()
})

/** Rows that a read printed, and what it says of their deletion. */
const printed = ({ messages }: Ended) =>
  messages.flatMap(({ record }) =>
    record
      ? [[record.stream, record.data.id, record.data.name, !!record.data._ab_cdc_deleted_at]]
      : [],
  )

it('follows the log of a database over several reads, from the states that came back', async () => {
  await db.sql(`
    CREATE TABLE items (id int PRIMARY KEY, name text); CREATE TABLE others (id int PRIMARY KEY, name text);
    INSERT INTO items VALUES (1, 'a'), (2, 'b'); INSERT INTO others VALUES (1, 'x')`)
  const config = folder.write('config.json', {
    ...{ ...db.config, replication_method: { method: 'CDC' } },
  })
  const found = await runHere(['discover', 'source-postgres', '--config', config])
  const catalog = folder.write('catalog.json', {
    streams: found.messages
      .flatMap(({ catalog }) => catalog?.streams ?? [])
      .map((stream: object) => ({
        ...{ stream, sync_mode: 'incremental', destination_sync_mode: 'append_dedup' },
        primary_key: [['id']],
      })),
  })
  const read = (state?: string) =>
    runHere([
      ...['read', 'source-postgres', '--config', config, '--catalog', catalog],
      ...(state ? ['--state', state] : []),
    ])

  const first = await read()
  expect({ code: first.code, rows: printed(first) }, first.stdout).toEqual({
    code: 0,
    rows: [
      ['items', 1, 'a', false],
      ['items', 2, 'b', false],
      ['others', 1, 'x', false],
    ],
  })
  const afterFirst = folder.write('first.jsonl', first.stdout)
  await db.sql(`
    UPDATE items SET name = 'changed' WHERE id = 1; DELETE FROM items WHERE id = 2;
    INSERT INTO others VALUES (2, 'y')`)
  const changes = [
    ['items', 1, 'changed', false],
    ['items', 2, null, true],
    ['others', 2, 'y', false],
  ]
  const second = await read(afterFirst)
  expect({ code: second.code, rows: printed(second) }, second.stdout).toEqual({
    ...{ code: 0, rows: changes },
  })
  // Whoever lost what the second read printed is told the same again: the server kept it.
  expect(printed(await read(afterFirst))).toEqual(changes)

  const afterSecond = folder.write('second.jsonl', second.stdout)
  await db.sql(`INSERT INTO items VALUES (3, 'c')`)
  const third = await read(afterSecond)
  expect(printed(third)).toEqual([['items', 3, 'c', false]])
  // The third read was given what the second printed: the server need not keep that any more.
  const tooOld = await read(afterFirst)
  expect(tooOld.code).toBe(1)
  expect(tooOld.messages.find(({ trace }) => trace?.error)?.trace.error.message).toContain(
    'beyond what was read',
  )
}, 120_000)
