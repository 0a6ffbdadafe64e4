import {
  AirbyteError,
  type Column,
  type ConfiguredStream,
  columnsOf,
  type RecordBatch,
  type StreamKey,
  streamKey,
} from '../../protocol/index.ts'
import type { ConnectorContext } from '../contract.ts'
import { pivot } from '../pivot.ts'
import { PyFloat } from './python/values.ts'
import type { RecordData } from './records/types.ts'

const BATCH_ROWS = 5000

/** The records of a page as batches: the columns that the catalog has, or all that a record has. */
export type Batcher = (records: RecordData[]) => Iterable<RecordBatch>

export function batcher(configured: ConfiguredStream, ctx: ConnectorContext): Batcher {
  const key = streamKey(configured.stream)
  const toBatch = configured.wholeRecords
    ? wholeRecords(key, ctx)
    : selectedColumns(key, configured, ctx)
  return function* (records) {
    for (let from = 0; from < records.length; from += BATCH_ROWS) {
      yield toBatch(records.slice(from, from + BATCH_ROWS))
    }
  }
}

function selectedColumns(key: StreamKey, configured: ConfiguredStream, ctx: ConnectorContext) {
  const { selectedFields } = configured
  const columns = columnsOf(configured.stream.json_schema).filter(
    ({ name }) => !selectedFields || selectedFields.includes(name),
  )
  if (columns.length === 0) {
    throw new AirbyteError('VALIDATION_FAILED', `${key} has no columns.`, {
      ...{ stream: key, hint: 'Discover the source again, and select at least one field.' },
    })
  }
  const warned = new Set<string>(
    selectedFields ? Object.keys((configured.stream.json_schema.properties ?? {}) as object) : [],
  )
  return (rows: RecordData[]): RecordBatch => {
    const { batch, unknownFields } = pivot(key, rows, columns, ctx.now(), unboxFloat)
    for (const field of unknownFields.keys()) {
      if (warned.has(field)) continue
      warned.add(field)
      ctx.log('warn', `${key}: the field '${field}' is not in the schema; left out.`)
    }
    return batch
  }
}

const unboxFloat = (value: object) => (value instanceof PyFloat ? value.value : value)

function wholeRecords(key: StreamKey, ctx: ConnectorContext) {
  return (rows: RecordData[]): RecordBatch => {
    const names = new Set<string>()
    for (const record of rows) for (const name in record) names.add(name)
    const columns = Array.from(names, (name): Column => ({ name, type: 'unknown' }))
    return pivot(key, rows, columns, ctx.now()).batch
  }
}
