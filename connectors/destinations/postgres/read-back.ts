import type pg from 'pg'
import { to } from 'pg-copy-streams'
import type { EncodedBatch } from '../../../src/protocol/index.ts'
import { countRows } from '../../../src/runtime/formats/pg-copy-text.ts'
import { GENERATION_ID, type Layout, plannedColumns } from '../../../src/runtime/loading/layout.ts'
import { quote } from './identifiers.ts'
import { qualified } from './layout.ts'

const NEWLINE = 0x0a
/** Bytes of whole rows per batch, at least. */
const BATCH_BYTES = 256 * 1024

/** The visible rows in the plan's columns, as COPY prints them, in batches of whole rows. */
export async function* readRows(
  client: pg.Client,
  layout: Layout,
  generationId?: number,
): AsyncGenerator<EncodedBatch> {
  const columns = plannedColumns(layout)
    .map(({ name }) => quote(name))
    .join(', ')
  const table = qualified(layout.schema, layout.table)
  const where =
    generationId === undefined ? '' : ` WHERE ${quote(GENERATION_ID)} = ${Number(generationId)}`
  const stream = client.query(to(`COPY (SELECT ${columns} FROM ${table}${where}) TO STDOUT`))
  let parts: Buffer[] = []
  let size = 0
  for await (const part of stream as AsyncIterable<Buffer>) {
    const end = part.lastIndexOf(NEWLINE) + 1
    if (end === 0 || size + end < BATCH_BYTES) {
      parts.push(part)
      size += part.length
      continue
    }
    yield batchOf(layout, Buffer.concat([...parts, part.subarray(0, end)]))
    parts = [part.subarray(end)]
    size = part.length - end
  }
  if (size > 0) yield batchOf(layout, Buffer.concat(parts))
}

function batchOf(layout: Layout, bytes: Uint8Array): EncodedBatch {
  return {
    kind: 'encoded',
    stream: layout.stream,
    schema: plannedColumns(layout).map(({ column }) => column),
    format: 'pg-copy-text',
    rows: countRows(bytes),
    bytes,
    extractedAt: 0,
  }
}
