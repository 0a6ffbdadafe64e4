import { TABLE, tableIn } from './table-name.ts'

/** Tables that have other rows after a statement. */
export interface Renewed {
  tables: { schema: string; name: string }[]
  what: string
  /** Tables of which there is none after it: they have another name. */
  gone: { schema: string; name: string }[]
}

const RENAME = /^RENAME\s+TABLES?\s/i
const TO = new RegExp(`\\sTO\\s+${TABLE}\\s*(?:,|;|$)`, 'gi')
const FROM = new RegExp(
  `(?:^RENAME\\s+TABLES?\\s+(?:IF\\s+EXISTS\\s+)?|,\\s*)${TABLE}\\s+(?:WAIT\\s+\\d+\\s+|NOWAIT\\s+)?TO\\s`,
  'gi',
)
/** Up to what it does to the table. */
export const ALTER = new RegExp(
  `^ALTER\\s+(?:ONLINE\\s+|IGNORE\\s+)*TABLE\\s+(?:IF\\s+EXISTS\\s+)?${TABLE}\\s+(?:WAIT\\s+\\d+\\s+|NOWAIT\\s+)?`,
  'i',
)
const RENAMED = new RegExp(
  `^RENAME\\s+(?:TO\\s+|AS\\s+)?(?!COLUMN\\s|INDEX\\s|KEY\\s)${TABLE}`,
  'i',
)
const MOVED =
  /^(?:(?:TRUNCATE|DROP|EXCHANGE|CONVERT)\s+PARTITION|CONVERT\s+TABLE|(?:DISCARD|IMPORT)\s+(?:PARTITION|TABLESPACE))\b/i
const EXCHANGED = new RegExp(`\\sWITH\\s+TABLE\\s+${TABLE}`, 'i')

const ANOTHER =
  'another table has its name since (of gh-ost or pt-online-schema-change it has the same rows)'

/** What a statement, without comments before it, does to tables by other means than rows. */
export function otherRows(database: string, text: string): Renewed | undefined {
  if (RENAME.test(text)) {
    const tables = [...text.matchAll(TO)].map((match) => tableIn(match, 1, database))
    const renamed = [...text.matchAll(FROM)].map((match) => tableIn(match, 1, database))
    return { tables, what: ANOTHER, gone: withoutName(renamed, tables) }
  }
  const altered = ALTER.exec(text)
  if (!altered) return undefined
  const rest = text.slice(altered[0].length)
  const renamed = RENAMED.exec(rest)
  const table = tableIn(altered, 1, database)
  if (renamed) {
    const tables = [tableIn(renamed, 1, database)]
    return { tables, what: ANOTHER, gone: withoutName([table], tables) }
  }
  const [how] = MOVED.exec(rest) ?? []
  if (how === undefined) return undefined
  const other = EXCHANGED.exec(rest)
  const tables = [table, ...(other ? [tableIn(other, 1, database)] : [])]
  return {
    tables,
    what: `rows came or went by ALTER TABLE … ${how.toUpperCase().replace(/\s+/g, ' ')}`,
    gone: [],
  }
}

type Named = { schema: string; name: string }

/** Of tables that are renamed one after the other, those whose name none has at the end. */
function withoutName(from: Named[], to: Named[]): Named[] {
  const gone = new Map<string, Named>()
  const keyOf = ({ schema, name }: Named) => `${schema}\0${name}`
  for (const [i, table] of from.entries()) {
    gone.set(keyOf(table), table)
    const renamed = to[i]
    if (renamed) gone.delete(keyOf(renamed))
  }
  return [...gone.values()]
}
