import { TABLE, tableIn } from './table-name.ts'

/** Tables that have other rows after a statement. */
export interface Renewed {
  tables: { schema: string; name: string }[]
  what: string
}

const RENAME = /^RENAME\s+TABLES?\s/i
const TO = new RegExp(`\\sTO\\s+${TABLE}\\s*(?:,|;|$)`, 'gi')
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
    return { tables, what: ANOTHER }
  }
  const altered = ALTER.exec(text)
  if (!altered) return undefined
  const rest = text.slice(altered[0].length)
  const renamed = RENAMED.exec(rest)
  if (renamed) return { tables: [tableIn(renamed, 1, database)], what: ANOTHER }
  const [how] = MOVED.exec(rest) ?? []
  if (how === undefined) return undefined
  const other = EXCHANGED.exec(rest)
  const tables = [tableIn(altered, 1, database), ...(other ? [tableIn(other, 1, database)] : [])]
  return {
    tables,
    what: `rows came or went by ALTER TABLE … ${how.toUpperCase().replace(/\s+/g, ' ')}`,
  }
}
