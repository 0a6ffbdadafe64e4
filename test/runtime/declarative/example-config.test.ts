import { describe, expect, it } from 'vitest'
import { sources } from '../../../connectors/index.ts'
import { checkConfig } from '../../../src/core/config-validation.ts'
import { exampleConfig } from '../../../src/runtime/declarative/example-config.ts'

describe('an example of a config', () => {
  it.each(sources.map((source) => [source.info.name, source] as const))(
    'is one that %s takes',
    (_, source) => {
      const spec = source.spec().connectionSpecification
      const { problems } = checkConfig(spec, exampleConfig(spec))
      expect(problems).toEqual([])
    },
  )

  it('takes defaults, constants, choices, examples and patterns as they come', () => {
    const properties = {
      byDefault: { type: 'integer', default: 7 },
      chosen: { enum: ['a', 'b'] },
      shown: { type: 'string', examples: ['x'] },
      listed: { type: 'array', examples: ['one'] },
      day: { type: ['null', 'string'], pattern: '^\\d{4}-\\d{2}-\\d{2}$' },
      least: { type: 'number', minimum: 5 },
      either: { oneOf: [{ properties: { kind: { const: 'k' } } }, { properties: {} }] },
      odd: 'not a schema',
    }
    expect(exampleConfig({ properties } as never)).toEqual({
      ...{ byDefault: 7, chosen: 'a', shown: 'x', listed: ['one'], day: '2024-01-01', least: 5 },
      either: { kind: 'k' },
    })
  })
})
