import { describe, expect, it } from 'vitest'
import { specDifference, streamsDifference } from '../../src/operations/connectors/diff.ts'
import type { JsonSchema } from '../../src/protocol/index.ts'
import type { InspectedStream, ManifestReport } from '../../src/runtime/declarative/index.ts'

const object = (properties: JsonSchema, required: string[] = []): JsonSchema => ({
  ...{ type: 'object', properties, required },
})
const text = (over: JsonSchema = {}) => ({ type: 'string', ...over })

describe('the form of a config', () => {
  it('has fields that come, go, and become required or secret, also within choices', () => {
    const variant = (name: string, more: JsonSchema) =>
      object({ method: { const: name }, ...more }, ['method'])
    const before = object({
      ...{ a: text(), gone: text(), key: text(), token: text({ airbyte_secret: true }) },
      auth: { oneOf: [variant('key', { key: text() })] },
    })
    const after = object(
      {
        ...{ a: { type: 'integer' }, fresh: text({ airbyte_secret: true }) },
        ...{ key: text({ airbyte_secret: true }), token: text() },
        auth: { oneOf: [variant('key', { key: text() }), variant('oauth', { id: text() })] },
      },
      ['a', 'fresh'],
    )
    expect(specDifference(before, after)).toEqual({
      added: [
        { path: 'fresh', type: 'string', required: true, secret: true },
        { path: 'auth.id (auth.method = "oauth")', type: 'string', required: false, secret: false },
      ],
      removed: ['gone'],
      nowRequired: ['a'],
      nowSecret: ['key'],
      noLongerSecret: ['token'],
      retyped: [{ path: 'a', from: 'string', to: 'integer' }],
    })
  })
})

describe('the streams', () => {
  const stream = (name: string, over: Partial<InspectedStream> = {}): InspectedStream => ({
    ...{ name, primaryKey: [['id']], schema: object({ id: text() }), ...over },
  })
  const report = (...streams: InspectedStream[]): ManifestReport => ({
    ...{ spec: {}, streams, dynamicStreams: [], configMigrations: 0 },
  })

  it('that come, go, and cannot run any more are told', () => {
    const before = report(stream('a'), stream('b'))
    const after = report(stream('b', { refused: 'a class is missing' }), stream('c'))
    expect(streamsDifference(before, after)).toMatchObject({
      ...{ added: ['c'], removed: ['a'], changed: [] },
      refused: [{ name: 'b', reason: 'a class is missing' }],
    })
  })

  it('tell columns, also nested ones and those of lists, keys and cursors', () => {
    const before = object({
      ...{ id: text(), old: text(), at: text() },
      nested: object({ x: text() }),
      list: { type: 'array', items: object({ y: text() }) },
    })
    const after = object({
      ...{ id: { type: ['string', 'null'] }, at: text({ format: 'date-time' }) },
      nested: object({ x: text(), z: text() }),
      list: { type: 'array', items: object({ y: { type: 'number' } }) },
    })
    const { changed } = streamsDifference(
      report(stream('a', { schema: before, cursorField: 'at' })),
      report(stream('a', { schema: after, primaryKey: [['k']] })),
    )
    expect(changed).toEqual([
      {
        ...{ name: 'a', schema: 'static' },
        primaryKey: { from: [['id']], to: [['k']] },
        cursorField: { from: 'at', to: null },
        fields: {
          ...{ added: ['nested.z'], removed: ['old'] },
          retyped: [
            { path: 'id', from: 'string', to: 'null | string' },
            { path: 'at', from: 'string', to: 'string (date-time)' },
            { path: 'list[].y', from: 'string', to: 'number' },
          ],
        },
      },
    ])
  })

  it('say that their columns come from the API', () => {
    const before = report(stream('a'), stream('b', { schema: undefined }))
    const after = report(stream('a', { schema: undefined }), stream('b', { schema: undefined }))
    expect(streamsDifference(before, after).changed).toEqual([{ name: 'a', schema: 'dynamic' }])
  })

  it('that are the same are not told', () => {
    expect(streamsDifference(report(stream('a')), report(stream('a'))).changed).toEqual([])
  })
})
