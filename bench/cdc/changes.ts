/**
 * What happens to `orders`, in both dialects: of ten changes six are updates, three inserts, one a
 * delete; a hundred a transaction. The table needs half as many rows as there are changes.
 */

/** Changes of one transaction. */
const TRANSACTION = 100

/** @param round how often so many were made before: the rows that were inserted since are there */
export function callFor(changes: number, rows: number, round: number): string {
  const transactions = Math.floor(changes / TRANSACTION)
  return `CALL make_changes(${transactions}, ${rows + round * transactions * 30})`
}

const copied = (
  id: string,
) => `SELECT ${id}, account_id, order_no, status, quantity, price, discount,
  paid, placed_on, created_at, shipped_at, reference, email, address, note, extra FROM orders`

export const POSTGRES_CHANGES = `
CREATE PROCEDURE make_changes(transactions bigint, existing bigint) LANGUAGE plpgsql AS $$
DECLARE
  updated bigint;
BEGIN
  FOR i IN 0 .. transactions - 1 LOOP
    updated := 1 + (i * 60) % (existing / 2);
    UPDATE orders SET status = 'changed ' || i, quantity = quantity + 1, shipped_at = placed_on
      WHERE id BETWEEN updated AND updated + 59;
    INSERT INTO orders ${copied('existing + i * 30 + n')}, generate_series(1, 30) AS n
      WHERE id = updated;
    DELETE FROM orders WHERE id BETWEEN existing - i * 10 - 9 AND existing - i * 10;
    COMMIT;
  END LOOP;
END $$`

export const MARIADB_CHANGES = `
CREATE PROCEDURE make_changes(transactions bigint, existing bigint)
BEGIN
  DECLARE i bigint DEFAULT 0;
  DECLARE updated bigint;
  WHILE i < transactions DO
    SET updated = 1 + (i * 60) % (existing DIV 2);
    START TRANSACTION;
    UPDATE orders SET status = concat('changed ', i), quantity = quantity + 1, shipped_at = placed_on
      WHERE id BETWEEN updated AND updated + 59;
    INSERT INTO orders ${copied('existing + i * 30 + seq')}, seq_1_to_30 WHERE id = updated;
    DELETE FROM orders WHERE id BETWEEN existing - i * 10 - 9 AND existing - i * 10;
    COMMIT;
    SET i = i + 1;
  END WHILE;
END`

/** The rows of `fillOrders`, as MariaDB holds them. */
export const mariadbOrders = (rows: number) => [
  `CREATE TABLE orders (
    id bigint PRIMARY KEY, account_id bigint NOT NULL, order_no varchar(40) NOT NULL,
    status varchar(40) NOT NULL, quantity int NOT NULL, price decimal(12,2) NOT NULL, discount double,
    paid boolean NOT NULL, placed_on date NOT NULL, created_at timestamp NOT NULL,
    shipped_at datetime, reference uuid NOT NULL, email varchar(80) NOT NULL,
    address varchar(80) NOT NULL, note text, extra json NOT NULL)`,
  `INSERT INTO orders SELECT seq, (seq * 7919) % 100003, concat('ORD-', lpad(seq, 10, '0')),
    elt(1 + seq % 4, 'new', 'paid', 'shipped', 'returned'), 1 + seq % 17, round((seq % 99991) / 7, 2),
    if(seq % 5 = 0, NULL, (seq % 100) / 3), seq % 3 = 0,
    date '2020-01-01' + INTERVAL seq % 2000 DAY, timestamp '2020-01-01 00:00:00' + INTERVAL seq SECOND,
    if(seq % 4 < 2, NULL, timestamp '2020-01-02 00:00:00' + INTERVAL seq SECOND), md5(seq),
    concat('customer', seq % 100003, '@example.com'),
    concat(seq % 999, ' Long Street, Town ', seq % 77),
    if(seq % 3 = 0, NULL, repeat('lorem ', 1 + seq % 7)),
    json_object('tags', json_array('a', seq % 9), 'weight', seq % 31)
    FROM seq_1_to_${rows}`,
]
