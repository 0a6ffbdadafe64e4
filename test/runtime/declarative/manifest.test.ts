import { describe, expect, it } from 'vitest'
import { type JsonObject, toAirbyteError } from '../../../src/protocol/index.ts'
import { loadManifest } from '../../../src/runtime/declarative/manifest/load.ts'
import { parseYaml } from '../../../src/runtime/declarative/manifest/parse-yaml.ts'
import { propagate } from '../../../src/runtime/declarative/manifest/propagate.ts'
import { resolveReferences } from '../../../src/runtime/declarative/manifest/references.ts'
import { newRun } from '../../../src/runtime/declarative/run.ts'
import { buildStream } from '../../../src/runtime/declarative/stream/build.ts'
import { readPages } from '../../../src/runtime/declarative/stream/read-pages.ts'
import { fromAirbyteState } from '../../../src/runtime/declarative/stream/state.ts'
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
    const error = refusal(() => parseYaml('a: 1\nb: [1, 2\nc: 3'))
    expect(error.code).toBe('VALIDATION_FAILED')
    expect(error.message).toMatch(/line \d+, column \d+/)
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

  it('names the node whose component is not known', async () => {
    const stream = { retriever: { paginator: { type: 'MagicPaginator' } } }
    const root = loadManifest(manifestOf({ name: '', stream }))
    const [component] = root.children('streams')
    const ctx = testContext()
    const env = { config: {}, ctx, run: newRun(ctx, {}), stream: 'items' }
    const reading = readPages(buildStream(component as never, env), fromAirbyteState({})).next()
    await expect(reading).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      field: 'streams[0].retriever.paginator',
      message: expect.stringContaining("'MagicPaginator' is not known here; one of NoPagination"),
    })
  })
})
