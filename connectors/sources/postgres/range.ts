import type { Ranged } from '../../../src/runtime/database/range.ts'
import type { StreamReader } from './reader.ts'
import type { RelationColumn } from './relations.ts'
import { columnSql, literal } from './sql.ts'

/** SQLSTATE class of values that their type cannot hold. */
const DATA_EXCEPTION = /^22/

/** The stream's table, of which a range may be read. */
export const rangedOf = ({
  client,
  key,
  relation,
  configured,
}: StreamReader): Ranged<RelationColumn> => ({
  ...{ stream: key, range: configured.range, columns: relation.columns },
  hasRanges: ({ type }) => Boolean(type.key && type.plain),
  typeOf: ({ literalType }) => literalType,
  nameSql: ({ name }) => columnSql(name),
  literal: ({ literalType }, value) => literal(value, literalType),
  async textOf({ literalType }, value) {
    try {
      const sql = `SELECT ($1::text)::${literalType}::text AS value`
      return (await client.query(sql, [value])).rows[0].value
    } catch (error) {
      if (DATA_EXCEPTION.test((error as { code?: string }).code ?? '')) return undefined
      throw error
    }
  },
})
