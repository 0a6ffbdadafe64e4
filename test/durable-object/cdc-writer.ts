import type pg from 'pg'

/** Numbers from 0 up to 1, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const WRITTEN_COLUMNS = 'id, v, n, large'

/** A table that the writer writes to; its large values lie beside the rows. */
export const tableOf = (name: string, rows: number) => `
  create table src.${name} (id int primary key, v text, n int, large text);
  alter table src.${name} alter large set storage external;
  insert into src.${name} select o, 'first', o, repeat(md5(o::text), 80) from generate_series(1, ${rows}) o;`

/** A table as its writer reaches it, with what servers say differently. */
export interface WrittenTable {
  name: string
  /** One after the other. */
  run(statements: string[]): Promise<unknown>
  /** An insert that does nothing if the key is there. */
  insert(values: string): string
  /** Gives the row of this key the next one. */
  move(from: number): string
}

const inPostgres = (client: pg.Client, name: string): WrittenTable => ({
  name,
  run: (statements) => client.query(statements.join('; ')),
  insert: (values) => `insert into ${name} values (${values}) on conflict do nothing`,
  move: (from) => `update ${name} set id = (select max(id) + 1 from ${name}) where id = ${from}`,
})

interface Writing {
  rows: number
  goesOn: () => boolean
  pauseMs?: number
}

/** Transactions of a few random statements, `pauseMs` apart on average, until it is told to stop. */
export const write = (client: pg.Client, table: string, seed: number, writing: Writing) =>
  writeTo(inPostgres(client, `src.${table}`), seed, writing)

/** As `write`, to a table of any server. */
export async function writeTo(
  table: WrittenTable,
  seed: number,
  { rows, goesOn, pauseMs = 0 }: Writing,
): Promise<number> {
  const random = seeded(seed)
  const any = (n: number) => Math.floor(random() * n)
  const id = () => 1 + any(rows * 1.5)
  const large = () => `repeat('${String(any(1e9)).padStart(32, '-')}', 80)`
  const t = table.name
  const insert = (key: number) => table.insert(`${key}, 'i${any(1e6)}', 0, ${large()}`)
  const move = (from = id()) => [table.move(from), ...(any(2) ? [insert(from)] : [])]
  const statements = [
    () => [`update ${t} set v = 'u${any(1e6)}' where id = ${id()}`],
    () => [`update ${t} set n = n + 1 where id % 37 = ${any(37)}`],
    () => [`update ${t} set large = ${large()} where id = ${id()}`],
    () => [`delete from ${t} where id = ${id()}`],
    () => [insert(id())],
    () => move(),
  ]
  let transactions = 0
  for (; goesOn(); transactions++) {
    const few = Array.from(
      { length: 1 + any(3) },
      () => statements[any(statements.length)]?.() ?? [],
    )
    if (transactions % 60 === 40 && any(3) === 0) few.unshift([`truncate table ${t}`, insert(id())])
    const end = any(12) === 0 ? 'rollback' : 'commit'
    await table.run(['begin', ...few.flat(), end])
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, any(pauseMs * 2)))
  }
  return transactions
}
