import type { Client } from 'pg'

/** 16 columns of the kinds that tables are made of; about 245 bytes a row as COPY text. */
export const COLUMNS = `
  id bigint PRIMARY KEY,
  account_id bigint NOT NULL,
  order_no text NOT NULL,
  status text NOT NULL,
  quantity integer NOT NULL,
  price numeric(12,2) NOT NULL,
  discount double precision,
  paid boolean NOT NULL,
  placed_on date NOT NULL,
  created_at timestamptz NOT NULL,
  shipped_at timestamp,
  reference uuid NOT NULL,
  email text NOT NULL,
  address text NOT NULL,
  note text,
  extra jsonb NOT NULL`

/** Creates `orders` with `rows` rows; the same rows every time. */
export async function fillOrders(client: Client, rows: number): Promise<void> {
  await client.query(`CREATE TABLE orders (${COLUMNS})`)
  await client.query(
    `INSERT INTO orders SELECT
      i,
      (i * 7919) % 100003,
      'ORD-' || lpad(i::text, 10, '0'),
      (ARRAY['new','paid','shipped','returned'])[1 + i % 4],
      1 + i % 17,
      round((i % 99991) / 7.0, 2),
      CASE WHEN i % 5 = 0 THEN NULL ELSE (i % 100) / 3.0 END,
      i % 3 = 0,
      date '2020-01-01' + (i % 2000)::int,
      timestamptz '2020-01-01 00:00:00+00' + make_interval(secs => i),
      CASE WHEN i % 4 < 2 THEN NULL ELSE timestamp '2020-01-02' + make_interval(secs => i) END,
      md5(i::text)::uuid,
      'customer' || (i % 100003) || '@example.com',
      (i % 999) || ' Long Street, Town ' || (i % 77),
      CASE WHEN i % 3 = 0 THEN NULL ELSE repeat('lorem ', 1 + (i % 7)::int) END,
      jsonb_build_object('tags', jsonb_build_array('a', i % 9), 'weight', i % 31)
    FROM generate_series(1, ${rows}::bigint) i`,
  )
  await client.query('ANALYZE orders')
}
