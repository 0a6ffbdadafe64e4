/**
 * Row ids (`_airbyte_raw_id`): UUIDs of version 8 (RFC 9562) that follow from what names a chunk and
 * the row's index in it, so that loading a chunk again writes the same ids. The last four bytes are
 * the index.
 */
import { createHash } from 'node:crypto'

export interface RowIds {
  /** Writes the 16 bytes of a row's id. */
  write(into: Uint8Array, at: number, row: number): void
  text(row: number): string
}

export function rowIdsOf(name: string): RowIds {
  const prefix = new Uint8Array(createHash('sha256').update(name).digest()).slice(0, 12)
  prefix[6] = ((prefix[6] ?? 0) & 0x0f) | 0x80
  prefix[8] = ((prefix[8] ?? 0) & 0x3f) | 0x80
  const hex = Array.from(prefix, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const head = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  return {
    write(into, at, row) {
      for (let i = 0; i < 12; i++) into[at + i] = prefix[i] ?? 0
      into[at + 12] = row >>> 24
      into[at + 13] = row >>> 16
      into[at + 14] = row >>> 8
      into[at + 15] = row
    },
    text: (row) => head + row.toString(16).padStart(8, '0'),
  }
}
