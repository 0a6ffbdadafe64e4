import { AirbyteError } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'
import { csvRows } from '../decoders/csv.ts'
import { decompress, peek } from '../decoders/gzip.ts'
import { type Chunks, decodeText } from '../decoders/text.ts'
import type { Environment } from '../environment.ts'
import { setOwn } from '../python/mappings.ts'
import type { Answer } from '../requester/answer.ts'
import type { Extractor } from './extractor.ts'
import type { RecordData } from './types.ts'

/**
 * The rows of a CSV file, packed or not, by the rules of pandas: every value is a text, and texts
 * that mean nothing are null.
 */
export function csvFileExtractor(component: Component, env: Environment): Extractor {
  const nulls = component.flag('preserve_na_values') ? EMPTY : NULLS
  return {
    streams: true,
    async *extract(answer) {
      const texts = decodeText(withoutNuls(unpack(answer.chunks())), encodingOf(answer))
      const toRow = rowMaker(nulls)
      try {
        for await (const rows of csvRows(texts, { delimiter: ',', strict: true })) {
          yield rows.flatMap(toRow)
        }
      } catch (cause) {
        if (!(cause instanceof SyntaxError)) throw cause
        const { message } = cause
        throw new AirbyteError(
          'UPSTREAM_ERROR',
          `${env.stream}: a CSV file is damaged: ${message}.`,
          {
            stream: env.stream,
          },
        )
      }
    },
  }
}

/** @see https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html parameter na_values */
const NULLS = new Set([
  '',
  '#N/A',
  '#N/A N/A',
  '#NA',
  '-1.#IND',
  '-1.#QNAN',
  '-NaN',
  '-nan',
  '1.#IND',
  '1.#QNAN',
  '<NA>',
  'N/A',
  'NA',
  'NULL',
  'NaN',
  'None',
  'n/a',
  'nan',
  'null',
])
const EMPTY = new Set([''])

/**
 * Takes the header first. A first row that is longer has an index before its fields, which is
 * dropped; shorter rows end in nulls.
 *
 * @throws SyntaxError for a row that is longer than the first
 */
function rowMaker(nulls: ReadonlySet<string>): (cells: string[]) => RecordData[] {
  let names: string[] | undefined
  let index: number | undefined
  return (cells) => {
    if (!names) {
      names = headerOf(cells)
      return []
    }
    index ??= Math.max(0, cells.length - names.length)
    if (cells.length > names.length + index) {
      throw new SyntaxError(`a row has ${cells.length} cells and not ${names.length + index}`)
    }
    const row: RecordData = {}
    for (const [at, name] of names.entries()) {
      const cell = cells[at + index]
      setOwn(row, name, cell === undefined || nulls.has(cell) ? null : cell)
    }
    return [row]
  }
}

/** `a,a,,a` → `a`, `a.1`, `Unnamed: 2`, `a.2` */
function headerOf(cells: string[]): string[] {
  const names = cells.map((name, at) => name || `Unnamed: ${at}`)
  const counts = new Map<string, number>()
  const order = [...cells.keys()].sort((a, b) => Number(cells[a] === '') - Number(cells[b] === ''))
  for (const at of order) {
    const given = names[at] as string
    let name = given
    let count = counts.get(given) ?? 0
    while (count > 0) {
      counts.set(given, count + 1)
      name = `${given}.${count}`
      count = names.includes(name) ? count + 1 : (counts.get(name) ?? 0)
    }
    names[at] = name
    counts.set(name, count + 1)
  }
  return names
}

async function* unpack(chunks: Chunks): AsyncGenerator<Uint8Array> {
  const { head, all } = await peek(chunks, 2)
  const [first, second = 0] = head
  if (first === 0x1f && second === 0x8b) yield* decompress(all, 'gzip')
  // Of what begins as zlib does, only what cannot be text.
  else if (first === 0x78 && [0x01, 0x9c, 0xda].includes(second)) yield* decompress(all, 'deflate')
  else yield* all
}

async function* withoutNuls(chunks: Chunks): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield chunk.includes(0) ? chunk.filter(Boolean) : chunk
}

function encodingOf({ headers }: Answer): string {
  const [, charset] = /charset=["']?([^"';\s]+)/i.exec(headers.get('content-type') ?? '') ?? []
  const encoding = charset ?? 'utf-8'
  return encoding.toLowerCase() === 'utf-8' ? 'utf-8-sig' : encoding
}
