import type { Value } from '../python/values.ts'

/**
 * Rows of a CSV text as objects by the header's names. A missing cell is null; cells beyond the
 * header are dropped.
 *
 * @param nulls cells with these texts become null
 * @see https://www.rfc-editor.org/rfc/rfc4180
 */
export function* csvRows(
  text: string,
  delimiter: string,
  nulls: ReadonlySet<string>,
): Generator<Record<string, Value>> {
  let names: string[] | undefined
  for (const cells of csvCells(text, delimiter)) {
    if (cells.length === 1 && cells[0] === '') continue
    if (!names) {
      names = cells
      continue
    }
    const row: Record<string, Value> = {}
    names.forEach((name, index) => {
      const cell = cells[index]
      row[name] = cell === undefined || nulls.has(cell) ? null : cell
    })
    yield row
  }
}

function* csvCells(text: string, delimiter: string): Generator<string[]> {
  let cells: string[] = []
  let at = 0
  while (at < text.length) {
    let cell: string
    if (text[at] === '"') [cell, at] = quoted(text, at + 1)
    else [cell, at] = ['', at]
    const end = endOfCell(text, at, delimiter)
    cells.push(cell + text.slice(at, end))
    at = end
    if (text.startsWith(delimiter, at)) {
      at += delimiter.length
      if (at >= text.length || text[at] === '\n' || text[at] === '\r') cells.push('')
      else continue
    }
    yield cells
    cells = []
    at += text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1
  }
}

function endOfCell(text: string, from: number, delimiter: string): number {
  let at = from
  while (at < text.length && text[at] !== '\n' && text[at] !== '\r') {
    if (text.startsWith(delimiter, at)) return at
    at++
  }
  return at
}

/** The text up to the closing quote, and where it goes on after it. */
function quoted(text: string, from: number): [string, number] {
  let value = ''
  let at = from
  for (;;) {
    const quote = text.indexOf('"', at)
    if (quote === -1) return [value + text.slice(at), text.length]
    value += text.slice(at, quote)
    if (text[quote + 1] !== '"') return [value, quote + 1]
    value += '"'
    at = quote + 2
  }
}
