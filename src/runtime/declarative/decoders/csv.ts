import type { Component } from '../component.ts'
import { setOwn } from '../python/mappings.ts'
import type { Value } from '../python/values.ts'
import { CsvCells, type CsvRules } from './csv-cells.ts'
import { type Chunks, decodeText, universalNewlines } from './text.ts'

/**
 * Rows of a CSV as objects by the header's names. A missing cell is null; cells beyond the header
 * are dropped.
 */
export function csvParser(component: Component): (chunks: Chunks) => AsyncGenerator<Value[]> {
  const encoding = component.optionalText('encoding') ?? 'utf-8'
  const delimiter = readEscapes(component.optionalText('delimiter') || ',')
  if (delimiter.length !== 1) throw component.refuse('A delimiter is one character.', 'delimiter')
  const nulls = new Set(component.list('set_values_to_none').map(String))
  return async function* (chunks) {
    const toRow = rowMaker(nulls)
    const texts = decodeText(chunks, encoding)
    for await (const rows of csvRows(texts, { delimiter })) yield rows.flatMap(toRow)
  }
}

/** Rows of cells, in a batch for each piece of text. */
export async function* csvRows(
  texts: AsyncIterable<string>,
  rules: CsvRules,
): AsyncGenerator<string[][]> {
  const cells = new CsvCells(rules)
  for await (const text of universalNewlines(texts)) yield cells.push(text)
  yield cells.end()
}

/** Takes the header first, and makes an object of each row after it. */
function rowMaker(nulls: ReadonlySet<string>): (cells: string[]) => Value[] {
  let names: string[] | undefined
  return (cells) => {
    if (!names) {
      names = cells
      return []
    }
    const row: Record<string, Value> = {}
    for (const [index, name] of names.entries()) {
      const cell = cells[index]
      setOwn(row, name, cell === undefined || nulls.has(cell) ? null : cell)
    }
    return [row]
  }
}

/** `\t` and its like, as Python reads them; only at the start. */
function readEscapes(text: string): string {
  if (!text.startsWith('\\')) return text
  return text.replace(
    /\\(?:([tnr\\])|x([\da-f]{2})|u([\da-f]{4}))/gi,
    (_, named: string | undefined, byte: string | undefined, unit: string | undefined) =>
      named
        ? (NAMED[named] as string)
        : String.fromCharCode(Number.parseInt(byte ?? unit ?? '', 16)),
  )
}

const NAMED: Record<string, string> = { t: '\t', n: '\n', r: '\r', '\\': '\\' }
