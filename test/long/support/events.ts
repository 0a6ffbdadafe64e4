import type { Client } from 'pg'

export const ROWS = 200_000

/** Some 170 MB in 200k rows, so that a sync of them takes several chunks. */
export async function createEvents(source: Client): Promise<void> {
  await source.query(`CREATE TABLE events (
    id bigint PRIMARY KEY, account bigint NOT NULL, label text NOT NULL, price numeric(12,2) NOT NULL,
    happened_at timestamptz NOT NULL, paid boolean NOT NULL, note text, payload text NOT NULL)`)
  await source.query(`INSERT INTO events SELECT
    i, i * 9007199254741, 'event ' || i, i / 7.0, timestamptz '2020-01-01' + make_interval(secs => i / 3.0),
    i % 3 = 0, CASE WHEN i % 4 = 0 THEN NULL ELSE 'note ' || i END, repeat(md5(i::text), 24)
    FROM generate_series(1, ${ROWS}) i`)
}

export interface Contents {
  rows: number
  /** Of every value of every row, in the order of the key; doubled rows change it. */
  md5: string
}

/** The same question in both dialects; the engine's own hashes have no part in it. */
const question = (from: string, cents: string, micros: string, paid: string) => `
  SELECT count(*) AS rows, md5(string_agg(md5(line), '' ORDER BY id)) AS md5 FROM (
    SELECT id, concat_ws('|', id, account, label, ${cents}, ${micros}, ${paid}, coalesce(note, '~'), payload) AS line
    FROM ${from}) lines`

export async function contentsOfTable(client: Client): Promise<Contents> {
  const sql = question(
    'public.events',
    '(price * 100)::bigint',
    '(extract(epoch FROM happened_at) * 1000000)::bigint',
    'paid::int',
  )
  const { rows } = await client.query(sql)
  return { rows: Number(rows[0].rows), md5: rows[0].md5 }
}

export const parquetQuestion = (files: string) =>
  question(
    `read_parquet(${files})`,
    'CAST(price * 100 AS BIGINT)',
    'epoch_us(happened_at)',
    'CAST(paid AS INTEGER)',
  )
