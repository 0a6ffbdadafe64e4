import { describe, expect, it } from 'vitest'
import type { JsonSchema, JsonValue } from '../../../src/protocol/index.ts'
import { schemaProblem } from '../../../src/runtime/declarative/json-schema.ts'

/** Schema, a value that adheres, a value that does not, and what is wrong with it. */
const CASES: [JsonSchema, JsonValue, JsonValue, string][] = [
  [{ type: ['string', 'null'] }, null, 1, 'must be string or null'],
  [{ type: 'integer' }, 2, 2.5, 'must be integer'],
  [{ enum: ['a', { b: 1 }] }, { b: 1 }, 'c', 'must be one of'],
  [{ const: false }, false, true, 'must be false'],
  [{ minLength: 2 }, '🙂🙂', '🙂', 'too short'],
  [{ maxLength: 1 }, 'a', 'ab', 'too long'],
  [{ pattern: '^\\d+$' }, '12', 'x', 'does not look like'],
  [{ minimum: 1, exclusiveMaximum: 3 }, 2, 3, 'out of bounds'],
  [{ multipleOf: 0.5 }, 1.5, 1.2, 'multiple'],
  [{ minItems: 1 }, [1], [], 'too few items'],
  [{ uniqueItems: true }, [1, 2], [{ a: 1 }, { a: 1 }], 'twice'],
  [{ items: { type: 'integer' } }, [1], [1, 'x'], '[1]: must be integer'],
  [{ items: [{ type: 'integer' }], additionalItems: false }, [1], [1, 2], '[1]: nothing'],
  [{ contains: { const: 1 } }, [2, 1], [2], 'lacks an item'],
  [{ required: ['a'] }, { a: null }, {}, "'a' is missing"],
  [
    { properties: { a: { properties: { b: { type: 'null' } } } } },
    {},
    { a: { b: 1 } },
    'a.b: must be',
  ],
  [{ properties: { a: {} }, additionalProperties: false }, { a: 1 }, { b: 1 }, 'b: nothing'],
  [
    { patternProperties: { '^x': { type: 'string' } } },
    { x: 'a' },
    { xa: 1 },
    'xa: must be string',
  ],
  [{ propertyNames: { maxLength: 1 } }, { a: 1 }, { ab: 1 }, 'too long'],
  [{ minProperties: 1, maxProperties: 1 }, { a: 1 }, {}, 'too few fields'],
  [{ allOf: [{ minimum: 1 }, { maximum: 2 }] }, 1, 3, 'out of bounds'],
  [{ anyOf: [{ const: 1 }, { const: 2 }] }, 2, 3, 'none of what is allowed'],
  [{ oneOf: [{ minimum: 1 }, { minimum: 2 }] }, 1, 2, 'exactly one'],
  [{ not: { const: 1 } }, 2, 1, 'not allowed'],
  [{ if: { const: 1 }, else: { const: 2 } }, 2, 3, 'must be 2'],
  [JSON.parse('{"if": {"const": 1}, "then": false}'), 2, 1, 'nothing is allowed'],
  [{ $ref: '#/$defs/a~1b', $defs: { 'a/b': { type: 'null' } } }, null, 1, 'must be null'],
  [{ format: 'date' }, 'no date', 1, ''],
]

describe('a JSON Schema', () => {
  for (const [schema, good, bad, message] of CASES) {
    it(`takes ${JSON.stringify(good)} and not ${JSON.stringify(bad)} for ${JSON.stringify(schema)}`, () => {
      expect(schemaProblem(schema, good)).toBeUndefined()
      if (message) expect(schemaProblem(schema, bad)).toContain(message)
      else expect(schemaProblem(schema, bad)).toBeUndefined()
    })
  }

  it('that refers to itself without end is stopped', () => {
    expect(schemaProblem({ $ref: '#' }, 1)).toContain('has no end')
    const wide = { anyOf: [{ $ref: '#' }, { $ref: '#' }, { $ref: '#' }] }
    expect(schemaProblem(wide, 1)).toBeDefined()
  })

  it('with a pattern made to run for ever matches nothing', () => {
    expect(schemaProblem({ pattern: '(a+)+$' }, `${'a'.repeat(40)}!`)).toContain(
      'does not look like',
    )
  })
})
