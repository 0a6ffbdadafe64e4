import { Buffer, isUtf8 } from 'node:buffer'
import type { Column, RecordBatch, RecordChange } from '../../protocol/index.ts'
import { type DecodeOptions, decodeCopyText, splitRows } from '../formats/pg-copy-text.ts'

/**
 * A text that is not UTF-8, though the server gave it as such: its database says nothing of its
 * encoding (SQL_ASCII), or the bytes were put there by force. Nobody can say what it reads.
 */
export const UNREADABLE = 'SOURCE_SERIALIZATION_ERROR'

const TAB = 0x09
const NULL_FIELD = Buffer.from('\\N')

/** Where fields of COPY text are not UTF-8; undefined: all of them are, which takes one fast look. */
export function unreadableFields(bytes: Uint8Array): { row: number; field: number }[] | undefined {
  if (isUtf8(bytes)) return undefined
  const found: { row: number; field: number }[] = []
  let row = 0
  for (const [start, end] of splitRows(bytes)) {
    for (const [field, [from, to]] of fieldsOf(bytes, start, end).entries())
      if (!isUtf8(bytes.subarray(from, to))) found.push({ row, field })
    row++
  }
  return found
}

/** Decodes COPY text of which these fields are not UTF-8: they are null, and the batch records it. */
export function decodeWithoutUnreadable(
  bytes: Uint8Array,
  columns: Column[],
  unreadable: { row: number; field: number }[],
  options: DecodeOptions,
): RecordBatch {
  const batch = decodeCopyText(nulled(bytes, unreadable), columns, options)
  const changes = unreadable.flatMap(({ row, field }): RecordChange[] => {
    const name = columns[field]?.name
    return name === undefined ? [] : [{ row, field: name, change: 'NULLED', reason: UNREADABLE }]
  })
  return changes.length > 0 ? { ...batch, changes } : batch
}

function nulled(bytes: Uint8Array, unreadable: { row: number; field: number }[]): Uint8Array {
  const bad = new Set(unreadable.map(({ row, field }) => `${row} ${field}`))
  const parts: Uint8Array[] = []
  let row = 0
  for (const [start, end] of splitRows(bytes)) {
    for (const [field, [from, to]] of fieldsOf(bytes, start, end).entries())
      parts.push(
        bad.has(`${row} ${field}`) ? NULL_FIELD : bytes.subarray(from, to),
        // The tab or newline that ends it.
        bytes.subarray(to, to + 1),
      )
    row++
  }
  return Buffer.concat(parts)
}

/** Byte ranges of a row's fields. Neither a tab nor a newline is part of any encoding's characters. */
function fieldsOf(bytes: Uint8Array, start: number, end: number): [from: number, to: number][] {
  const fields: [number, number][] = []
  const last = end - 1
  for (let from = start; from <= last; ) {
    const tab = bytes.indexOf(TAB, from)
    const to = tab < 0 || tab > last ? last : tab
    fields.push([from, to])
    from = to + 1
  }
  return fields
}
