import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../../src/protocol/index.ts'
import { schemaProblems, secretsIn } from './record-rules.ts'
import { Collection, digest, hour, hourMs, hourSeconds, NOW, uuid } from './synthetic.ts'

const stream = (properties: object) => ({
  ...{ name: 's', supported_sync_modes: ['full_refresh' as const] },
  json_schema: { type: 'object', properties } as never,
})

describe('the rules for records', () => {
  it('find nulls, types and nested fields that the schema does not allow', () => {
    const schema = stream({
      id: { type: 'integer' },
      user: { type: ['object', 'null'], properties: { name: { type: 'string' } } },
      tags: { type: ['array', 'null'], items: { type: 'string' } },
    })
    const records: JsonObject[] = [
      { id: 1, user: { name: 'a' }, tags: ['x'] },
      { id: null, user: { name: 2, age: 3 }, tags: [1] },
    ]
    expect(schemaProblems(schema, records, [])).toEqual([
      'id is null, the schema says integer',
      'user.name is number, the schema says string',
      'user.age is not in the schema',
      'tags[] is number, the schema says string',
    ])
  })

  it('find fields that no record fills, and exceptions that are none', () => {
    const schema = stream({ a: { type: ['string', 'null'] }, b: { type: ['string', 'null'] } })
    expect(schemaProblems(schema, [{ b: 'x' }], ['b'])).toEqual([
      'a is never filled',
      'b is filled after all',
    ])
  })

  it('find the secrets of a config, whichever branch it takes', () => {
    const secret = { type: 'string', airbyte_secret: true }
    const spec = {
      properties: {
        credentials: {
          oneOf: [{ properties: { token: secret } }, { properties: { key: secret } }],
        },
      },
    }
    expect(secretsIn(spec as never, { credentials: { key: 'k', token: 't' } })).toEqual(['t', 'k'])
  })
})

describe('synthetic rows', () => {
  it('are the same in every run and differ from each other', () => {
    expect(hour(25)).toBe('2026-01-02T01:00:00Z')
    expect([hourMs(1), hourSeconds(1)]).toEqual([Date.parse(hour(1)), Date.parse(hour(1)) / 1000])
    expect(hourMs(0)).toBeLessThan(NOW)
    expect(digest('a')).toMatch(/^[0-9a-f]{40}$/)
    expect(new Set(Array.from({ length: 1000 }, (_, n) => digest(`c${n}`))).size).toBe(1000)
    expect(uuid('a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('grow beyond all others and change as told', () => {
    const rows = new Collection(
      2,
      (n) => ({ id: n, updated: n }),
      (row, at) => {
        row.updated = at
      },
    )
    rows.grow(1)
    rows.touch()
    expect(rows.rows).toEqual([
      { id: 0, updated: 3 },
      { id: 1, updated: 1 },
      { id: 2, updated: 2 },
    ])
  })
})
