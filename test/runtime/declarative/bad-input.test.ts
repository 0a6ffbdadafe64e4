import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type JsonObject, toAirbyteError } from '../../../src/protocol/index.ts'
import { loadManifest } from '../../../src/runtime/declarative/manifest/load.ts'
import { newRun } from '../../../src/runtime/declarative/run.ts'
import { buildStream } from '../../../src/runtime/declarative/stream/build.ts'
import { listStreams } from '../../../src/runtime/declarative/stream/list.ts'
import { readPages } from '../../../src/runtime/declarative/stream/read-pages.ts'
import { fromAirbyteState } from '../../../src/runtime/declarative/stream/state.ts'
import { testContext } from '../../conformance/context.ts'
import { manifestOf } from './oracle.ts'

async function read(body: string | Uint8Array, stream: JsonObject = {}) {
  const ctx = testContext({
    http: { fetch: async () => new Response(body as string) },
  })
  const env = { config: {}, ctx, run: newRun(ctx, { sleep: async () => {} }) }
  const [found] = await listStreams(loadManifest(manifestOf({ name: '', stream })), env)
  if (!found) throw new Error('no stream')
  const records: unknown[] = []
  const pages = readPages(
    buildStream(found.component, { ...env, stream: 'items' }),
    fromAirbyteState({}),
  )
  for await (const page of pages) records.push(...page.records)
  return { records, lines: ctx.lines }
}

const failure = (reading: Promise<unknown>) =>
  reading.then(
    () => undefined,
    (error: unknown) => toAirbyteError(error),
  )

describe('a response', () => {
  it('with NaN and infinities has nulls there, and texts as they are', async () => {
    const { records } = await read('[{"a": NaN, "b": -Infinity, "c": "NaN \\" Infinity"}]')
    expect(records).toEqual([{ a: null, b: null, c: 'NaN " Infinity' }])
  })

  it('that is a web page is an error, other text a warning', async () => {
    expect(await failure(read('<!DOCTYPE html><p>login'))).toMatchObject({ code: 'UPSTREAM_ERROR' })
    const { records, lines } = await read('nothing here')
    expect(records).toEqual([])
    expect(lines.join()).toContain('not JSON')
  })

  it('with a key __proto__ keeps it a key through transformations', async () => {
    const transformations: JsonObject[] = [
      { type: 'KeysReplace', old: 'x', new: 'y' },
      { type: 'AddFields', fields: [{ path: ['__proto__', 'polluted'], value: 'yes' }] },
    ]
    const { records } = await read('[{"id": 1, "__proto__": {"a": 1}}]', { transformations })
    expect(JSON.stringify(records)).toBe('[{"id":1,"__proto__":{"a":1,"polluted":"yes"}}]')
    expect(({} as { polluted?: string }).polluted).toBeUndefined()
  })

  it('nested fifty deep is read, flattened and cleaned', async () => {
    const deep = `${'{"a":'.repeat(50)}{"b":1}${'}'.repeat(50)}`
    const transformations = [{ type: 'KeysToSnakeCase' }, { type: 'FlattenFields' }]
    const { records } = await read(`[${deep}]`, { transformations })
    expect(records).toEqual([{ b: 1 }])
  })

  it('with lone surrogates is read', async () => {
    const { records } = await read('[{"id": "\\ud800"}]')
    expect(records).toEqual([{ id: '\ud800' }])
  })

  it('of gzip that is cut is an error', async () => {
    const packed = gzipSync('{"id":1}\n'.repeat(1000))
    const retriever = { decoder: { type: 'GzipDecoder', decoder: { type: 'JsonlDecoder' } } }
    const cut = read(packed.subarray(0, 30), { retriever })
    expect(await failure(cut)).toMatchObject({ code: 'UPSTREAM_ERROR' })
    const whole = await read(packed, { retriever })
    expect(whole.records).toHaveLength(1000)
  })
})
