/** A database of very many small tables, and what moving them costs both ends. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'

/** Tables made in one transaction: each takes locks, of which a server has so many. */
const AT_ONCE = 500
const ROWS = 3

const nameOf = (i: number) => `t_${String(i).padStart(5, '0')}`

/** The names of `count` tables, in order. */
export const tableNames = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => nameOf(i))

/** Makes the tables in the schema `many`, of eight columns and a few rows each. */
export async function makeTables(url: string, count: number): Promise<void> {
  await using(url, async (client) => {
    await client.query('create schema many')
    for (let at = 0; at < count; at += AT_ONCE) {
      await client.query(`do $$ begin
        for i in ${at}..${Math.min(count, at + AT_ONCE) - 1} loop
          execute format('create table many.t_%s (
            id int primary key, name text not null, amount numeric(12, 2), at timestamptz,
            note text, done boolean, size bigint, details jsonb)', lpad(i::text, 5, '0'));
          execute format('insert into many.t_%s select n, ''row '' || n, n * 1.25, now(), ''note'',
            n %% 2 = 0, n * 1000, jsonb_build_object(''n'', n) from generate_series(1, ${ROWS}) n',
            lpad(i::text, 5, '0'));
        end loop; end $$`)
    }
    await client.query('analyze')
  })
}

/** An update, an insert and a delete in each of these tables, and rows in one transaction. */
export const changeTables = (url: string, names: string[]): Promise<void> =>
  using(url, async (client) => {
    for (const name of names) {
      await client.query(`update many.${name} set note = 'changed' where id = 1;
        insert into many.${name} (id, name) values (100, 'new'); delete from many.${name} where id = 2`)
    }
  })

/** Sessions and transactions that a database has had. Those that are open are counted later. */
export interface Load {
  sessions: number
  transactions: number
}

export const loadOf = (url: string): Promise<Load> =>
  using(url, async (client) => {
    const { rows } = await client.query<Load>(
      `select sessions::int, (xact_commit + xact_rollback)::int as transactions
       from pg_stat_database where datname = current_database()`,
    )
    return rows[0] as Load
  })

export const difference = (before: Load, after: Load): Load => ({
  sessions: after.sessions - before.sessions,
  transactions: after.transactions - before.transactions,
})

/** Every value in words that PostgreSQL and DuckDB have in common; the micro-seconds in each one's own. */
const line = (micros: string) => `concat_ws('|', id, name, coalesce(CAST(amount AS text), '~'),
  coalesce(CAST(${micros} AS text), '~'), coalesce(note, '~'), coalesce(CAST(CAST(done AS int) AS text), '~'),
  coalesce(CAST(size AS text), '~'), coalesce(replace(CAST(details AS text), ' ', ''), '~'))`

/** How many rows a table has, and a hash of all their values, whichever of the two engines is asked. */
const question = (table: string, from: string, micros: string) =>
  `SELECT '${table}: ' || count(*) || ' ' || md5(coalesce(string_agg(${line(micros)}, ';' ORDER BY id), ''))
   AS contents FROM ${from}`

/** The same of tables that are given to DuckDB as queries, in the order of their names. */
export const duckdbQuestion = (names: string[], queries: string[]) =>
  `${names.map((name, i) => question(name, queries[i] ?? '', 'epoch_us("at")')).join(' UNION ALL ')}
   ORDER BY 1`

/** Of each table of a schema, in order: how many rows it has, and a hash of all their values. */
export const contentsOf = (url: string, schema: string, names: string[]): Promise<string[]> =>
  using(url, async (client) => {
    const contents: string[] = []
    for (let at = 0; at < names.length; at += AT_ONCE) {
      const each = names
        .slice(at, at + AT_ONCE)
        .map((name) =>
          question(name, `${schema}.${name}`, '(extract(epoch FROM at) * 1000000)::bigint'),
        )
      const { rows } = await client.query(`${each.join(' UNION ALL ')} ORDER BY 1`)
      contents.push(...rows.map((row) => row.contents))
    }
    return contents
  })

async function using<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(url)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** How many tasks each sync had, those with most first. */
export function tasksOfSyncs(stateDirectory: string): number[] {
  const counts = databasesOf(stateDirectory, 'SyncDO').map((path) =>
    reading(path, (db) => Number(db.prepare('select count(*) as n from tasks').get()?.n)),
  )
  return counts.sort((a, b) => b - a)
}

/** Bytes of the largest value that a row has, per class of Durable Object. */
export function largestValues(stateDirectory: string): Record<string, number> {
  const classes = ['ConnectionDO', 'SyncDO', 'LogReaderDO', 'SourceDO', 'TenantAgent']
  return Object.fromEntries(
    classes.map((name) => [
      name,
      Math.max(0, ...databasesOf(stateDirectory, name).map((path) => reading(path, largestIn))),
    ]),
  )
}

function largestIn(db: DatabaseSync): number {
  const tables = db.prepare(`select name from sqlite_master where type = 'table'`).all()
  return Math.max(
    ...tables.flatMap(({ name }) => {
      const columns = db.prepare(`select name from pragma_table_info('${name}')`).all()
      const lengths = columns.map((column) => `coalesce(length("${column.name}"), 0)`)
      const query = `select max(${lengths.join(' + ')}) as n from "${name}"`
      return Number(db.prepare(query).get()?.n ?? 0)
    }),
  )
}

const databasesOf = (stateDirectory: string, className: string): string[] =>
  readdirSync(join(stateDirectory, 'do', `airbyte-${className}`))
    .filter((name) => name.endsWith('.sqlite') && name !== 'metadata.sqlite')
    .map((name) => join(stateDirectory, 'do', `airbyte-${className}`, name))

function reading<T>(path: string, work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path)
  try {
    return work(db)
  } finally {
    db.close()
  }
}
