import { inject } from 'vitest'
import type { MysqlClient } from '../../src/runtime/mysql/client.ts'

const VERSION = inject('mysqlVersion')

/** Whether the tests run on the MySQL that `MYSQLD` names, and not on MariaDB. */
export const ON_MYSQL = VERSION > 0

/** Whether the server has the type. */
export const hasType = ([declared]: readonly [string, ...unknown[]]) =>
  /^vector/i.test(declared) ? VERSION >= 9 : !ON_MYSQL || !/^(UUID|INET[46])$/i.test(declared)

/**
 * A statement of the tests as the server takes it: MySQL replaces no table and has no tables of
 * numbers (of which MariaDB's are far faster than a recursive query).
 *
 * @example mysqlStatements('CREATE OR REPLACE TABLE t (id INT)')
 * // ['DROP TABLE IF EXISTS t', 'CREATE TABLE t (id INT)']
 */
function mysqlStatements(statement: string): string[] {
  const text = ON_MYSQL ? inMysql(statement) : statement
  const [, kind, name] = /^CREATE OR REPLACE (TABLE|DATABASE|USER) (\S+)/.exec(text) ?? []
  return kind ? [`DROP ${kind} IF EXISTS ${name}`, text.replace(' OR REPLACE', '')] : [text]
}

const inMysql = (statement: string) =>
  statement
    .replace(/\bseq_1_to_(\d+)\b/g, numbersTo)
    .replace('SHOW MASTER STATUS', VERSION >= 8.2 ? 'SHOW BINARY LOG STATUS' : '$&')
    .replace('RESET MASTER', VERSION >= 8.2 ? 'RESET BINARY LOGS AND GTIDS' : '$&')
    .replace(/\b(UUID|INET6)(?=[,)])/g, 'VARCHAR(45)')

const numbersTo = (name: string, last: string) =>
  `(WITH RECURSIVE n AS (SELECT 1 AS seq UNION ALL SELECT seq + 1 FROM n WHERE seq < ${last}) SELECT seq FROM n) ${name}`

/** Runs the statements one after the other; rows of the last. */
export async function runMysql(client: MysqlClient, ...statements: string[]) {
  let rows: (string | null)[][] = []
  for (const statement of statements.flatMap(mysqlStatements)) rows = await client.query(statement)
  return rows
}
