import type { Cell, Column } from '../../protocol/index.ts'

/** Rows of some columns; an absent column is all null. */
export interface Rows {
  length: number
  columns: (ArrayLike<Cell> | undefined)[]
}

const BLOCK_CHARACTERS = 128 * 1024
const encoder = new TextEncoder()

/**
 * Rows as JSON Lines: one object a line, every column named, nulls written. Integers and decimals
 * are JSON numbers with every digit; NaN and infinities, which JSON lacks, are strings.
 *
 * @example
 * [...jsonlBytes([{ name: 'id', type: 'integer' }], { length: 1, columns: [[9007199254740993n]] })]
 * // {"id":9007199254740993}
 */
export function* jsonlBytes(columns: Column[], rows: Rows): Generator<Uint8Array> {
  const starts = columns.map(({ name }, i) => `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`)
  const print = columns.map(printerOf)
  let block = ''
  for (let row = 0; row < rows.length; row++) {
    for (let c = 0; c < starts.length; c++) {
      const cell = rows.columns[c]?.[row]
      block += starts[c]
      block += cell === null || cell === undefined ? 'null' : print[c]?.(cell)
    }
    block += starts.length > 0 ? '}\n' : '{}\n'
    if (block.length >= BLOCK_CHARACTERS) {
      yield encoder.encode(block)
      block = ''
    }
  }
  if (block !== '') yield encoder.encode(block)
}

/** Rows as one JSON object each, as `jsonlBytes` would print them; with `nulls: false` without nulls. */
export function jsonTexts(
  columns: Column[],
  rows: Rows,
  { nulls = true }: { nulls?: boolean } = {},
): string[] {
  const names = columns.map(({ name }) => `${JSON.stringify(name)}:`)
  const print = columns.map(printerOf)
  return Array.from({ length: rows.length }, (_, row) => {
    let text = ''
    for (let c = 0; c < names.length; c++) {
      const cell = rows.columns[c]?.[row]
      const isNull = cell === null || cell === undefined
      if (isNull && !nulls) continue
      text += (text === '' ? '' : ',') + names[c] + (isNull ? 'null' : print[c]?.(cell))
    }
    return `{${text}}`
  })
}

type Printer = (cell: NonNullable<Cell>) => string

function printerOf({ type }: Column): Printer {
  switch (type) {
    case 'integer':
    case 'number':
      return jsonNumber
    case 'boolean':
      return String
    case 'object':
    case 'array':
    case 'unknown':
      // JSON has line breaks only between tokens, where a space does as well.
      return (cell) => String(cell).replace(/[\r\n]/g, ' ')
    default:
      return (cell) => JSON.stringify(String(cell))
  }
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

function jsonNumber(cell: NonNullable<Cell>): string {
  const text = Object.is(cell, -0) ? '-0' : String(cell)
  return JSON_NUMBER.test(text) ? text : JSON.stringify(text)
}

/** The bytes, compressed as they pass. */
export async function* gzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = source[Symbol.asyncIterator]()
  const readable = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await input.next()
      if (done) controller.close()
      else controller.enqueue(value as Uint8Array<ArrayBuffer>)
    },
    async cancel() {
      await input.return?.()
    },
  })
  const reader = readable.pipeThrough(new CompressionStream('gzip')).getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}
