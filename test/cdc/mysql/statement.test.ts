import { describe, expect, it } from 'vitest'
import { meaningOf } from '../../../src/cdc/mysql/statement.ts'

const meaning = (sql: string) => meaningOf({ database: 'shop', sql })

describe('statements in a binlog of rows', () => {
  it.each([
    ['BEGIN', 'begin'],
    ['COMMIT', 'commit'],
    ['ROLLBACK', 'rollback'],
    ['ALTER TABLE t ADD COLUMN update_at INT', 'other'],
    ['CREATE TABLE IF NOT EXISTS t (id INT)', 'other'],
    ['CREATE TEMPORARY TABLE t (id INT)', 'other'],
    ['CREATE OR REPLACE VIEW t AS SELECT 1', 'other'],
    ['DROP TABLE t', 'other'],
    ['DELETE HISTORY FROM t', 'other'],
    ['/* ApplicationName=x */ update t set a = 1', 'rows'],
    ['# a\n-- b\n INSERT INTO t VALUES (1)', 'rows'],
    ['/*! REPLACE */ INTO t', 'other'],
    ['REPLACE INTO t VALUES (1)', 'rows'],
    ['DELETE FROM t WHERE id = 1', 'rows'],
    ["LOAD DATA INFILE 'x' INTO TABLE t", 'rows'],
    ["XA END X'61',X'',1", 'other'],
  ])('%s is %s', (sql, kind) => {
    expect(meaning(sql).kind).toBe(kind)
  })

  it.each([
    ['SAVEPOINT `S``1`', 'savepoint', 's`1'],
    ['ROLLBACK TO `s`', 'rollbackTo', 's'],
    ['ROLLBACK WORK TO SAVEPOINT s', 'rollbackTo', 's'],
  ])('%s is a %s of %s', (sql, kind, name) => {
    expect(meaning(sql)).toEqual({ kind, name })
  })

  it.each([
    ['TRUNCATE TABLE orders', 'shop', 'orders'],
    ['truncate orders', 'shop', 'orders'],
    ['TRUNCATE `a``b` . `c d`', 'a`b', 'c d'],
    ['TRUNCATE TABLE other.orders', 'other', 'orders'],
    ['DELETE FROM `mem`.`t`', 'mem', 't'],
    ['CREATE TABLE `insert` (id INT)', 'shop', 'insert'],
    ['create  or replace table other.orders(id int)', 'other', 'orders'],
    ['CREATE TABLE orders LIKE old', 'shop', 'orders'],
  ])('%s empties %s.%s', (sql, schema, name) => {
    expect(meaning(sql)).toEqual({ kind: 'truncate', schema, name })
  })

  it.each([
    ['RENAME TABLE t TO old, `t new` TO t', ['shop.old', 'shop.t']],
    ['rename table a.t to b.`u``v`', ['b.u`v']],
    ['ALTER TABLE u RENAME TO t', ['shop.t']],
    ['ALTER TABLE u RENAME AS `other`.`t`', ['other.t']],
    ['ALTER TABLE t TRUNCATE PARTITION p1', ['shop.t']],
    ['alter online table if exists other.t drop  partition p1, p2', ['other.t']],
    ['ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u WITHOUT VALIDATION', ['shop.t', 'shop.u']],
    ['ALTER TABLE t CONVERT PARTITION p TO TABLE u', ['shop.t']],
    ['ALTER TABLE t DISCARD TABLESPACE', ['shop.t']],
  ])('%s changes rows of %j', (sql, tables) => {
    const found = meaning(sql)
    expect(found.kind).toBe('otherRows')
    if (found.kind !== 'otherRows') return
    expect(found.tables.map(({ schema, name }) => `${schema}.${name}`)).toEqual(tables)
  })

  it.each([
    ['ALTER TABLE t DROP COLUMN a, ADD COLUMN a INT', ['a']],
    ['alter table t drop `A``b` restrict, algorithm = inplace', ['a`b']],
    ['ALTER TABLE t ADD x DECIMAL(9, 2), DROP COLUMN IF EXISTS a', ['a']],
    ['ALTER ONLINE TABLE `shop`.`t` CHANGE COLUMN a b INT, RENAME COLUMN c TO d', ['a', 'c']],
    ["ALTER TABLE t ADD x TEXT COMMENT 'it's, DROP a', DROP b -- x", ['b']],
    ['ALTER TABLE t RENAME COLUMN a TO b', ['a']],
    ['ALTER TABLE t DROP COLUMN `partition`', ['partition']],
    ['ALTER TABLE t /* why */ DROP a /* , b */', ['a']],
  ])('%s takes the columns %j away', (sql, columns) => {
    expect(meaning(sql)).toEqual({ kind: 'goneColumns', schema: 'shop', name: 't', columns })
  })

  it.each([
    'ALTER TABLE t DROP PRIMARY KEY, DROP INDEX i, DROP FOREIGN KEY f',
    'ALTER TABLE t DROP CONSTRAINT c, DROP SYSTEM VERSIONING',
    'ALTER TABLE t CHANGE a a BIGINT, CHANGE COLUMN `B` b INT',
    "ALTER TABLE t MODIFY a INT COMMENT ', DROP b'",
    'ALTER TABLE t ADD COLUMN a INT, ADD KEY (a, b)',
  ])('%s takes no column away', (sql) => {
    expect(meaning(sql).kind).toBe('other')
  })

  it.each([
    'ALTER TABLE t RENAME INDEX a TO b',
    'ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4',
    'ALTER TABLE t ADD PARTITION (PARTITION p VALUES LESS THAN (9))',
    'ALTER TABLE t REORGANIZE PARTITION a INTO (PARTITION b VALUES LESS THAN (9))',
    'ALTER USER x RENAME TO y',
    'RENAME USER a TO b',
  ])('%s changes no rows', (sql) => {
    expect(meaning(sql).kind).toBe('other')
  })

  it.each([
    ["XA START X'61',X'',1", 'xaStart', '61..1'],
    ["XA COMMIT X'00FF27',X'71',7", 'xaCommit', '00ff27.71.7'],
    ["XA ROLLBACK X'00ff27',X'71',4294967295", 'xaRollback', '00ff27.71.4294967295'],
  ])('%s is %s of %s', (sql, kind, xid) => {
    expect(meaning(sql)).toEqual({ kind, xid })
  })
})
