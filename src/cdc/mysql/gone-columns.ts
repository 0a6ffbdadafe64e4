import { NAME } from './table-name.ts'

const DROPPED = new RegExp(
  `^DROP\\s+(?:COLUMN\\s+)?(?:IF\\s+EXISTS\\s+)?${NAME}(?:\\s+(?:RESTRICT|CASCADE))?$`,
  'i',
)
const CHANGED = new RegExp(
  `^CHANGE\\s+(?:COLUMN\\s+)?(?:IF\\s+EXISTS\\s+)?${NAME}\\s+${NAME}\\s`,
  'i',
)
const RENAMED = new RegExp(
  `^RENAME\\s+COLUMN\\s+(?:IF\\s+EXISTS\\s+)?${NAME}\\s+TO\\s+${NAME}$`,
  'i',
)

/**
 * Columns that an ALTER TABLE drops or renames, by what follows the table's name: whatever has such a
 * name afterwards is another column. Lower case, as the server compares them.
 */
export function goneColumns(rest: string): string[] {
  return clausesOf(rest).flatMap((clause) => {
    const found = DROPPED.exec(clause) ?? CHANGED.exec(clause) ?? RENAMED.exec(clause)
    if (!found) return []
    const nameOf = (group: number) =>
      (found[group]?.replaceAll('``', '`') ?? found[group + 1])?.toLowerCase()
    const [before = '', after] = [nameOf(1), nameOf(3)]
    return before === after ? [] : [before]
  })
}

/** A text, a name, a comment, or one character. */
const TOKEN =
  /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`(?:[^`]|``)*`|\/\*[\s\S]*?\*\/|(?:-- |#)[^\n]*|[\s\S]/g
const COMMENT = /^(?:\/\*|-- |#)/

/** What stands between commas, outside texts and brackets. */
function clausesOf(text: string): string[] {
  const clauses = ['']
  let depth = 0
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '(') depth++
    else if (token === ')') depth--
    if (token === ',' && depth === 0) clauses.push('')
    else clauses[clauses.length - 1] += COMMENT.test(token) ? ' ' : token
  }
  return clauses.map((clause) => clause.trim().replace(/;$/, ''))
}
