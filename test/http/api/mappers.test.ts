import { describe, expect, it } from 'vitest'
import { mappersOutput, mappingInput } from '../../../src/http/api/public/mappers.ts'
import type { StreamMapping } from '../../../src/protocol/index.ts'

const AT = 'configurations.streams[0].mappers'
const input = (...mappers: object[]) => mappingInput(mappers, AT)
const equal = (fieldName: string, comparisonValue: string) => ({
  ...{ type: 'EQUAL', fieldName, comparisonValue },
})
const filtering = (conditions: object) => ({
  ...{ type: 'row-filtering', mapperConfiguration: { conditions } },
})
const renaming = (originalFieldName: string, newFieldName: string) => ({
  ...{ type: 'field-renaming', mapperConfiguration: { originalFieldName, newFieldName } },
})
const hashing = (targetField: string, fieldNameSuffix = '', method = 'SHA-256') => ({
  ...{ type: 'hashing', mapperConfiguration: { targetField, fieldNameSuffix, method } },
})

describe("Airbyte's mappers as a mapping", () => {
  it('filter by equality and its opposite, all of which must hold', () => {
    expect(input(filtering(equal('country', 'DE'))).mapping).toEqual({
      filter: { field: 'country', op: 'eq', value: 'DE' },
    })
    const not = filtering({ type: 'NOT', conditions: [equal('state', 'draft')] })
    expect(input(filtering(equal('country', 'DE')), not).mapping).toEqual({
      filter: {
        all: [
          { field: 'country', op: 'eq', value: 'DE' },
          { not: { field: 'state', op: 'eq', value: 'draft' } },
        ],
      },
    })
  })

  it('hash into a column whose name has the suffix', () => {
    expect(input(hashing('email', '_hashed'), hashing('phone')).mapping).toEqual({
      hash: ['email', 'phone'],
      rename: { email: 'email_hashed' },
    })
  })

  it('know a column by the name that earlier ones gave it', () => {
    expect(
      input(
        renaming('mail', 'email'),
        filtering(equal('email', 'a@b.test')),
        hashing('email', '_hashed'),
        renaming('email_hashed', 'contact'),
      ).mapping,
    ).toEqual({
      filter: { field: 'mail', op: 'eq', value: 'a@b.test' },
      hash: ['mail'],
      rename: { mail: 'contact' },
    })
  })

  it('leave out fields', () => {
    expect(input({ type: 'field-filtering', mapperConfiguration: { targetField: 'ssn' } })).toEqual(
      { leftOut: ['ssn'] },
    )
  })

  it.each([
    ['another hash', [hashing('email', '_h', 'MD5')], '[0].mapperConfiguration.method'],
    ['encryption', [{ type: 'encryption', mapperConfiguration: {} }], '[0].type'],
    [
      'a filter on a hash',
      [hashing('email'), filtering(equal('email', 'x'))],
      '[1].mapperConfiguration.conditions.fieldName',
    ],
    [
      'a condition that is none',
      [filtering({ type: 'LIKE', fieldName: 'a' })],
      '[0].mapperConfiguration.conditions.type',
    ],
    [
      'a field that was renamed away',
      [renaming('a', 'b'), hashing('a')],
      '[1].mapperConfiguration.targetField',
    ],
    ['a mapper without its field', [renaming('a', '')], '[0].mapperConfiguration.newFieldName'],
  ])('refuse %s by its field', (_what, mappers, field) => {
    expect(() => input(...mappers)).toThrowError(
      expect.objectContaining({ code: 'VALIDATION_FAILED', field: `${AT}${field}` }),
    )
  })
})

describe("a mapping as Airbyte's mappers", () => {
  it.each<[string, StreamMapping]>([
    ['a filter', { filter: { field: 'a', op: 'eq', value: 'x' } }],
    [
      'several',
      {
        filter: {
          all: [
            { field: 'a', op: 'eq', value: 'x' },
            { not: { field: 'b', op: 'eq', value: 'y' } },
          ],
        },
      },
    ],
    ['hashes and names', { hash: ['a', 'b'], rename: { a: 'a_hashed', b: 'c', d: 'e' } }],
  ])('is the same when it comes back: %s', (_what, mapping) => {
    const { mappers = [] } = mappersOutput(mapping)
    expect(input(...(mappers as object[])).mapping).toEqual(mapping)
  })

  it.each<[string, StreamMapping]>([
    ['an order', { filter: { field: 'a', op: 'gt', value: 5 } }],
    ['a number', { filter: { field: 'a', op: 'eq', value: 5 } }],
    ['names that change places', { rename: { a: 'b', b: 'a' } }],
  ])('is given in our words where Airbyte has none: %s', (_what, mapping) => {
    expect(mappersOutput(mapping)).toEqual({ mapping })
  })
})
