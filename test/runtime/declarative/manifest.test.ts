import { describe, expect, it } from 'vitest'
import { type JsonObject, toAirbyteError } from '../../../src/protocol/index.ts'
import { loadManifest } from '../../../src/runtime/declarative/manifest/load.ts'
import { parseYaml } from '../../../src/runtime/declarative/manifest/parse-yaml.ts'
import { propagate } from '../../../src/runtime/declarative/manifest/propagate.ts'
import { resolveReferences } from '../../../src/runtime/declarative/manifest/references.ts'
import { newRun } from '../../../src/runtime/declarative/run.ts'
import { buildStream } from '../../../src/runtime/declarative/stream/build.ts'
import { testContext } from '../../conformance/context.ts'
import { manifestOf } from './oracle.ts'

const refusal = (act: () => unknown) => {
  try {
    act()
  } catch (error) {
    return toAirbyteError(error)
  }
  throw new Error('nothing was refused')
}

describe('YAML', () => {
  it('is read as version 1.1, with dates as text and big integers as digits', () => {
    const text = 'a: yes\nb: off\nc: 2026-01-31\nd: 9007199254740993\ne: 0o7\nf: "yes"'
    expect(parseYaml(text)).toEqual({
      ...{ a: true, b: false, c: '2026-01-31', d: '9007199254740993', e: '0o7', f: 'yes' },
    })
  })

  it('says the line and the column of what is wrong', () => {
    const error = refusal(() => parseYaml('a: 1\nb:\n  c: "x" y'))
    expect(error.code).toBe('VALIDATION_FAILED')
    expect(error.message).toContain('at line 3, column 10: ')
  })
})

describe('references', () => {
  it('try the whole path as one key first, index lists, and merge under local keys', () => {
    const resolved = resolveReferences({
      nested: { path: 'first', list: ['zero', { x: 1 }] },
      'nested/path': 'second',
      a: '#/nested/path',
      b: '#/nested/list/0',
      c: { $ref: '#/nested/list/1', x: 2, y: 3 },
      check: { config_overrides: { kept: '#/nested' } },
    })
    expect(resolved).toMatchObject({
      ...{ a: 'second', b: 'zero', c: { x: 2, y: 3 } },
      check: { config_overrides: { kept: '#/nested' } },
    })
  })

  it('that lead in a circle or nowhere are refused with the place of the reference', () => {
    const circle = refusal(() => resolveReferences({ a: { b: '#/c' }, c: '#/a/b' }))
    expect(circle).toMatchObject({ code: 'VALIDATION_FAILED', field: 'a.b' })
    const nowhere = refusal(() => resolveReferences({ streams: [{ $ref: '#/definitions/x' }] }))
    expect(nowhere.message).toContain("'#/definitions/x' leads to nothing")
  })
})

describe('parameters', () => {
  it('fill fields that are missing or falsy, down to every component', () => {
    const result = propagate({
      type: 'DeclarativeStream',
      name: '',
      $parameters: { name: 'items', path: '/p', kind: 'outer' },
      retriever: { requester: { $parameters: { kind: 'inner' } } },
      schema_loader: { type: 'InlineSchemaLoader', schema: { type: 'object', properties: {} } },
    })
    expect(result).toMatchObject({
      name: 'items',
      retriever: {
        type: 'SimpleRetriever',
        requester: { type: 'HttpRequester', path: '/p', kind: 'inner' },
      },
      schema_loader: { schema: { type: 'object', properties: {} } },
    })
    expect((result.schema_loader as JsonObject).schema).not.toHaveProperty('path')
  })

  it('of the parent win in a dynamic stream', () => {
    const node = { type: 'DeclarativeStream', $parameters: { name: 'own' } }
    expect(propagate(node, '', { name: 'parent' }, true)).toMatchObject({ name: 'parent' })
  })
})

describe('a manifest', () => {
  it('with an unknown root field is refused', () => {
    const error = refusal(() => loadManifest({ ...manifestOf({ name: '' }), surprise: 1 }))
    expect(error).toMatchObject({ code: 'VALIDATION_FAILED', field: 'manifest.surprise' })
  })

  const withStream = (stream: JsonObject) => loadManifest(manifestOf({ name: '', stream }))

  it.each<[string, JsonObject, string, string]>([
    [
      'a type that is not known',
      { retriever: { paginator: { type: 'MagicPaginator' } } },
      'streams[0].retriever.paginator',
      "'MagicPaginator' is not known here; one of DefaultPaginator, NoPagination is expected",
    ],
    [
      'a type in the place of another',
      { retriever: { record_selector: { extractor: { type: 'JsonDecoder', field_path: [] } } } },
      'streams[0].retriever.record_selector.extractor',
      'JsonDecoder cannot stand here; one of DpathExtractor',
    ],
    [
      'no type where it could be several',
      { retriever: { paginator: { type: 'DefaultPaginator', pagination_strategy: {} } } },
      'streams[0].retriever.paginator.pagination_strategy',
      'has no type; one of PageIncrement',
    ],
    [
      'a field that is missing',
      { transformations: [{ type: 'AddFields' }] },
      'streams[0].transformations[0].fields',
      'AddFields needs this field.',
    ],
    [
      'a field of another form',
      { retriever: { requester: { use_cache: 'often' } } },
      'streams[0].retriever.requester.use_cache',
      'It must be true or false.',
    ],
    [
      'an item of another form',
      { transformations: [{ type: 'RemoveFields', field_pointers: [['a'], 'b'] }] },
      'streams[0].transformations[0].field_pointers[1]',
      'It must be a list.',
    ],
    [
      'a word that is none of a few',
      { retriever: { requester: { http_method: 'FETCH' } } },
      'streams[0].retriever.requester.http_method',
      'one of GET, POST',
    ],
  ])('with %s is refused by the path of the node', (_, stream, field, message) => {
    const error = refusal(() => withStream(stream))
    expect(error).toMatchObject({ code: 'VALIDATION_FAILED', kind: 'config', field })
    expect(error.message).toContain(`${field}: `)
    expect(error.message).toContain(message)
  })

  it('says what else is wrong, in streams that nobody reads too', () => {
    const broken = { type: 'DeclarativeStream', name: 'other', retriever: { type: 'Odd' } }
    const streams = Array.from({ length: 9 }, () => broken)
    const error = refusal(() => loadManifest({ ...manifestOf({ name: '' }), streams }))
    expect(error.field).toBe('streams[0].retriever')
    expect(error.message).toContain('Also wrong: streams[1].retriever, streams[2].retriever')
    expect(error.message).toContain('3 more.')
  })

  it('tells fields that have no meaning, and what was meant; parameters are none', () => {
    const stream = {
      ...{ $parameters: { anything: 1, name: 'items' }, surprise: 1 },
      retriever: { requester: { request_headrs: {} } },
    }
    expect(withStream(stream).unknown).toEqual([
      {
        path: 'streams[0].retriever.requester.request_headrs',
        message: "HttpRequester has no field of this name; 'request_headers'?",
      },
      {
        path: 'streams[0].surprise',
        message: 'DeclarativeStream has no field of this name.',
      },
    ])
  })

  it('of a newer language loads with what is not known in it', () => {
    const stream = { retriever: { paginator: { type: 'MagicPaginator' } } }
    const newer = { ...manifestOf({ name: '', stream }), version: '99.0.0' }
    expect(loadManifest(newer).unknown.map(({ path }) => path)).toEqual([
      'streams[0].retriever.paginator',
    ])
  })

  it('names the node and the column of a template that cannot be read', async () => {
    const stream = { retriever: { requester: { request_headers: { 'X-Day': 'of {{ day( }}' } } } }
    const [component] = withStream(stream).children('streams')
    const ctx = testContext()
    const env = { config: {}, ctx, run: newRun(ctx, {}), stream: 'items' }
    const error = refusal(() => buildStream(component as never, env))
    expect(error).toMatchObject({
      code: 'TEMPLATE_INVALID',
      field: 'streams[0].retriever.requester.request_headers.X-Day',
      message: expect.stringMatching(/^streams\[0\]\..*X-Day: .*line 1, column \d+/),
    })
  })
})
