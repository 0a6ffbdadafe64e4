import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject, JsonValue } from '../../../../src/protocol/index.ts'

const FOLDER = join(import.meta.dirname, '../../../oracle/connectors/goldens')

/** What Airbyte's CDK made of a stream, see `test/oracle/connectors`. */
export interface CdkGolden {
  status: string
  records: number
  digest: string
  state: JsonObject
}

/** By stream; undefined for a connector that the CDK was not run for. */
export function cdkGoldens(connector: string): Record<string, CdkGolden> | undefined {
  const file = join(FOLDER, `${connector}.json`)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

/** The same of our own read. */
export function goldenOf(records: JsonObject[], state: JsonObject): CdkGolden {
  const lines = records.map((record) => canonical(withoutNulls(record))).sort()
  return {
    status: 'COMPLETE',
    records: records.length,
    digest: createHash('sha256').update(lines.join('\n')).digest('hex'),
    state: settled(state) as JsonObject,
  }
}

function withoutNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isObject(value)) return value
  const kept = Object.entries(value).filter(([, item]) => item !== null)
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutNulls(item)]))
}

/** Without the seconds that a read took, and with the partitions in an order of their own. */
function settled(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(settled)
  if (!isObject(value)) return value
  const { lookback_window: _, ...fields } = value
  return Object.fromEntries(
    Object.entries(fields).map(([key, item]) => {
      const inner = settled(item)
      const isPartitions = key === 'states' && Array.isArray(inner)
      return [key, isPartitions ? inner.toSorted(byText) : inner]
    }),
  )
}

const byText = (a: JsonValue, b: JsonValue) => (canonical(a) < canonical(b) ? -1 : 1)

const canonical = (value: JsonValue): string =>
  JSON.stringify(value, (_key, item: JsonValue) =>
    isObject(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  )

const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
