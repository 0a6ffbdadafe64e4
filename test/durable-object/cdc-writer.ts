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

/** Transactions of a few random statements, `pauseMs` apart on average, until it is told to stop. */
export async function write(
  client: pg.Client,
  table: string,
  seed: number,
  { rows, goesOn, pauseMs = 0 }: { rows: number; goesOn: () => boolean; pauseMs?: number },
): Promise<number> {
  const random = seeded(seed)
  const any = (n: number) => Math.floor(random() * n)
  const id = () => 1 + any(rows * 1.5)
  const large = () => `repeat(md5('${any(1e9)}'), 80)`
  const t = `src.${table}`
  const insert = (key: number) =>
    `insert into ${t} values (${key}, 'i${any(1e6)}', 0, ${large()}) on conflict do nothing`
  const move = () => {
    const from = id()
    const to = `(select max(id) + 1 from ${t})`
    return `update ${t} set id = ${to} where id = ${from}; ${any(2) ? insert(from) : 'select 1'}`
  }
  const statements = [
    () => `update ${t} set v = 'u${any(1e6)}' where id = ${id()}`,
    () => `update ${t} set n = n + 1 where id % 37 = ${any(37)}`,
    () => `update ${t} set large = ${large()} where id = ${id()}`,
    () => `delete from ${t} where id = ${id()}`,
    () => insert(id()),
    move,
  ]
  let transactions = 0
  for (; goesOn(); transactions++) {
    const few = Array.from({ length: 1 + any(3) }, () => statements[any(statements.length)]?.())
    if (transactions % 60 === 40 && any(3) === 0) few.unshift(`truncate ${t}; ${insert(id())}`)
    const end = any(12) === 0 ? 'rollback' : 'commit'
    await client.query(`begin; ${few.join('; ')}; ${end}`)
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, any(pauseMs * 2)))
  }
  return transactions
}
