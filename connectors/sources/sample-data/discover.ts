import {
  type AirbyteCatalog,
  type ConfiguredStream,
  type JsonObject,
  type JsonSchema,
  type JsonValue,
  jsonSchemaOf,
  type StreamKey,
  streamKey,
  toAirbyteError,
} from '../../../src/protocol/index.ts'
import type { CheckResult } from '../../../src/runtime/contract.ts'
import { parseConfig, type SampleConfig } from './config.ts'
import { type SampleColumn, STREAMS } from './streams.ts'

export function check(config: JsonObject): CheckResult {
  try {
    parseConfig(config)
    return { ok: true }
  } catch (error) {
    return { ok: false, problem: toAirbyteError(error).toJSON() }
  }
}

export function discover(config: SampleConfig): AirbyteCatalog {
  return {
    streams: STREAMS.map(({ name, rows, columns }) => ({
      name,
      json_schema: schemaOf(columns),
      supported_sync_modes: ['full_refresh', 'incremental'],
      source_defined_cursor: true,
      default_cursor_field: ['updated_at'],
      source_defined_primary_key: [['id']],
      is_resumable: true,
      captures: { creates: true, updates: false, deletes: false },
      estimated_rows: config.empty ? 0 : rows(config.count),
    })),
  }
}

function schemaOf(columns: SampleColumn[]): JsonSchema {
  const plain = columns.map(({ cell: _, declared: __, items: ___, ...column }) => column)
  const schema = jsonSchemaOf(plain)
  const properties = schema.properties as Record<string, JsonSchema>
  for (const { name, declared, items } of columns) {
    if (items) properties[name] = { ...properties[name], items }
    if (!declared) continue
    const members = declared.map((member) => [member, { type: 'string' }])
    properties[name] = { ...properties[name], properties: Object.fromEntries(members) }
  }
  return schema
}

/** The number of rows each stream has now: a count raised later waits for the next sync. */
export function freeze(
  config: SampleConfig,
  streams: ConfiguredStream[],
): Map<StreamKey, JsonValue> {
  const bounds = streams.flatMap(({ stream }): [StreamKey, JsonValue][] => {
    const known = STREAMS.find((s) => s.name === stream.name)
    return known ? [[streamKey(stream), config.empty ? 0 : known.rows(config.count)]] : []
  })
  return new Map(bounds)
}
