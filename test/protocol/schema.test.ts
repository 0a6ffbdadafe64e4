import { describe, expect, it } from 'vitest'
import { type AirbyteType, type Column, columnsOf, jsonSchemaOf } from '../../src/protocol/index.ts'

const TYPES: AirbyteType[] = [
  'string',
  'binary',
  'boolean',
  'date',
  'time_without_timezone',
  'time_with_timezone',
  'timestamp_without_timezone',
  'timestamp_with_timezone',
  'integer',
  'number',
  'object',
  'array',
  'unknown',
]

describe('columnsOf', () => {
  it.each(TYPES)('reads back a column of type %s', (type) => {
    const columns: Column[] = [
      { name: 'a', type },
      { name: 'b', type, nullable: false, native: { dialect: 'postgres', type: 'x' } },
    ]
    expect(columnsOf(jsonSchemaOf(columns))).toEqual(columns)
  })

  it('takes several types, or none, for unknown', () => {
    const schema = { properties: { a: { type: ['string', 'integer'] }, b: {} } }
    expect(columnsOf(schema).map((c) => c.type)).toEqual(['unknown', 'unknown'])
  })
})
