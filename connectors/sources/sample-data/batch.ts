import type { Cell, Column, RecordBatch, StreamKey } from '../../../src/protocol/index.ts'
import { bitsAt, keyOf } from './random.ts'
import type { SampleColumn, SampleStream } from './streams.ts'

/** Makes the rows `from` up to but without `to` of a stream, column by column. */
export type BatchMaker = (from: number, to: number, extractedAt: number) => RecordBatch

export function batchMaker(
  key: StreamKey,
  stream: SampleStream,
  seed: number,
  selectedFields: string[] | undefined,
): BatchMaker {
  const selected = new Set(selectedFields ?? stream.columns.map((column) => column.name))
  const columns = stream.columns.filter((column) => selected.has(column.name))
  const schema = columns.map(({ cell: _, ...column }): Column => column)
  const keys = columns.map((column) => keyOf(seed, `${stream.name}.${column.name}`))
  return (from, to, extractedAt) => ({
    kind: 'records',
    stream: key,
    schema,
    length: to - from,
    columns: columns.map((column, c) => cellsOf(column, keys[c] ?? 0, from, to)),
    extractedAt,
  })
}

function cellsOf(column: SampleColumn, key: number, from: number, to: number): Cell[] {
  const { cell } = column
  const cells = new Array<Cell>(to - from)
  for (let index = from; index < to; index++) cells[index - from] = cell(bitsAt(key, index), index)
  return cells
}
