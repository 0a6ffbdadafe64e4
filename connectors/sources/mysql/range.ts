import { Buffer } from 'node:buffer'
import type { Ranged } from '../../../src/runtime/database/range.ts'
import { quote, text } from '../../../src/runtime/mysql/sql.ts'
import type { CellKind } from '../../../src/runtime/mysql/types.ts'
import type { StreamReader } from './reader.ts'
import { literal } from './sql.ts'
import type { SourceColumn } from './tables.ts'

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const TIME = '\\d\\d:\\d\\d(?::\\d\\d(?:\\.\\d{1,6})?)?'
const TIMESTAMP = {
  form: new RegExp(`^\\d{4}-\\d\\d-\\d\\d(?:[ T]${TIME})?Z?$`),
  type: 'DATETIME(6)',
}

/** The server takes the beginning of a text for a time, whatever follows it: the form is looked at here. */
const FORMS: Partial<Record<CellKind, { form: RegExp; type?: string }>> = {
  boolean: { form: NUMBER },
  integer: { form: NUMBER },
  number: { form: NUMBER },
  float: { form: NUMBER },
  double: { form: NUMBER },
  date: { form: /^\d{4}-\d\d-\d\d$/, type: 'DATE' },
  time: { form: new RegExp(`^${TIME}$`), type: 'TIME(6)' },
  datetime: TIMESTAMP,
  timestamp: TIMESTAMP,
  text: { form: /^/ },
  binary: { form: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/ },
}

/** The stream's table, of which a range may be read. Times are UTC. */
export const rangedOf = ({
  client,
  key,
  table,
  configured,
}: StreamReader): Ranged<SourceColumn> => ({
  ...{ stream: key, range: configured.range, columns: table.columns },
  hasRanges: ({ type }) => type.key === true && FORMS[type.kind] !== undefined,
  typeOf: ({ dataType }) => dataType,
  nameSql: ({ name }) => quote(name),
  literal,
  async textOf({ type }, value) {
    const { form, type: sqlType } = FORMS[type.kind] ?? {}
    if (!form?.test(value)) return undefined
    // As records have it, to what `literal` takes.
    if (type.kind === 'binary') return Buffer.from(value, 'base64').toString('hex')
    if (!sqlType) return value
    const plain = value.replace(/Z$/, '').replace('T', ' ')
    const [[found] = []] = await client.query(`SELECT CAST(${text(plain)} AS ${sqlType})`)
    return found ?? undefined
  },
})
