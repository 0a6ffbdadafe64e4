import type { JsonSchema } from '../../../protocol/index.ts'
import type { Component } from '../component.ts'

/** Airbyte's type names as JSON Schemas. */
const DATA_TYPES: Record<string, JsonSchema> = {
  string: { type: ['null', 'string'] },
  boolean: { type: ['null', 'boolean'] },
  date: { type: ['null', 'string'], format: 'date' },
  timestamp_without_timezone: {
    type: ['null', 'string'],
    format: 'date-time',
    airbyte_type: 'timestamp_without_timezone',
  },
  timestamp_with_timezone: { type: ['null', 'string'], format: 'date-time' },
  time_without_timezone: {
    type: ['null', 'string'],
    format: 'time',
    airbyte_type: 'time_without_timezone',
  },
  time_with_timezone: {
    type: ['null', 'string'],
    format: 'time',
    airbyte_type: 'time_with_timezone',
  },
  integer: { type: ['null', 'integer'] },
  number: { type: ['null', 'number'] },
  array: { type: ['null', 'array'] },
  object: { type: ['null', 'object'] },
}

/** @throws VALIDATION_FAILED for a name that is none of them */
export function airbyteDataType(name: string, component: Component): JsonSchema {
  const schema = Object.hasOwn(DATA_TYPES, name) ? DATA_TYPES[name] : undefined
  if (!schema) throw component.refuse(`'${name}' is no type of Airbyte's.`, 'types_mapping')
  return structuredClone(schema)
}
