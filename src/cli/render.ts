import { printable } from './printable.ts'

/** Answers as short plain text: a table for a list, `name  value` lines for a thing. */

const LIST_FIELDS = ['items', 'streams', 'records', 'lines', 'states', 'plan', 'fields']
const MAX_CELL = 60

/** Columns of a table in this order, as far as the rows have them; the others are left out. */
const COLUMNS = [
  ...['syncId', 'kind', 'name', 'namespace', 'path', 'type', 'title', 'status', 'action'],
  ...['stream', 'ok', 'rows', 'rowsRead', 'rowsLoaded', 'syncModes', 'primaryKey', 'cursorField'],
  ...['fieldCount', 'required', 'secret', 'default', 'nextRunAt', 'startedAt', 'endedAt'],
  ...['changes', 'at', 'subject', 'op', 'outcome', 'evidence', 'id', 'scopes', 'expiresAt'],
]

type Row = Record<string, unknown>

export function render(answer: Row): string {
  const list = LIST_FIELDS.find((field) => Array.isArray(answer[field]))
  if (list === undefined) return things(answer)
  const { [list]: rows, ...rest } = answer
  const head = list === 'items' ? '' : things(rest)
  const body = table(rows as Row[], list === 'records')
  const more = answer.cursor === undefined ? '' : `\nmore: --cursor ${String(answer.cursor)}`
  return [head, body].filter(Boolean).join('\n\n') + more
}

export function table(rows: Row[], every = false): string {
  if (rows.length === 0) return 'none'
  const present = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const known = COLUMNS.filter((column) => present.includes(column))
  const columns = every || known.length === 0 ? present : known
  const used = columns.filter((column) => rows.some((row) => cell(row[column]) !== ''))
  const cells = [used.map(heading), ...rows.map((row) => used.map((c) => cell(row[c])))]
  const widths = used.map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)))
  return cells
    .map((line) =>
      line
        .map((text, i) => text.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const heading = (name: string) => name.replaceAll(/[A-Z]/g, (c) => ` ${c}`).toUpperCase()

function things(answer: Row): string {
  const entries = Object.entries(answer).filter(
    ([, value]) => value !== undefined && value !== null,
  )
  const width = Math.max(0, ...entries.map(([name]) => name.length))
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${text(value)}`).join('\n')
}

const cell = (value: unknown): string => {
  const full = text(value).replaceAll(/\s+/g, ' ')
  return full.length > MAX_CELL ? `${full.slice(0, MAX_CELL - 1)}…` : full
}

function text(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value) && value.every((v) => typeof v !== 'object')) return value.join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : printable(String(value))
}
