import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/protocol/index.ts'
import { Component } from '../../../src/runtime/declarative/component.ts'
import { buildDecoder } from '../../../src/runtime/declarative/decoders/index.ts'
import type { Environment } from '../../../src/runtime/declarative/environment.ts'
import { Answer } from '../../../src/runtime/declarative/requester/answer.ts'
import { newRun } from '../../../src/runtime/declarative/run.ts'
import { testContext } from '../../conformance/context.ts'

const ctx = testContext()
const env: Environment = { config: {}, ctx, stream: 'items', run: newRun(ctx, {}) }

/** What the decoder makes of a body that comes in pieces of so many bytes. */
async function decoded(fields: JsonObject, body: Uint8Array | string, size: number) {
  const bytes = Buffer.from(body as string)
  async function* rest() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  const answer = new Answer('https://api.test/', 200, new Headers(), new Uint8Array(0), rest())
  const values: unknown[] = []
  for await (const batch of buildDecoder(new Component(fields, 'decoder'), env).decode(answer)) {
    values.push(...batch)
  }
  return values
}

const CSV =
  '\ufeff"id","na""me",x\r\n1,"a\r\nb",ü😀\r\r\n2,"""",\n3,tail"x,"q" r\r\n"4","",\n5,last,"end'
const ITEMS =
  '\n{"a":[1,{"data":[9]}],"data":{"ite\\"ms":[],"items":[{"a":"]}\\\\\\""},"x",[1,[2]],-1.5e3,null,{}\n,true]},"z":{}} \n'

const BODIES: [string, JsonObject, string | Uint8Array, unknown[]][] = [
  [
    'CSV',
    { type: 'CsvDecoder', encoding: 'utf-8-sig' },
    CSV,
    [
      { id: '1', 'na"me': 'a\nb', x: 'ü😀' },
      { id: '2', 'na"me': '"', x: '' },
      { id: '3', 'na"me': 'tail"x', x: 'q r' },
      { id: '4', 'na"me': '', x: '' },
      { id: '5', 'na"me': 'last', x: 'end' },
    ],
  ],
  [
    'JSON lines',
    { type: 'JsonlDecoder' },
    '\ufeff{"id":"é"}\r\n\n{"id":2}\n[3]',
    [{ id: 'é' }, { id: 2 }, [3]],
  ],
  [
    'lines',
    { type: 'IterableDecoder' },
    'é\r\n\rb',
    [{ record: 'é' }, { record: '' }, { record: 'b' }],
  ],
  [
    'items of a document',
    { type: 'JsonItemsDecoder', items_path: 'data.items' },
    ITEMS,
    [{ a: ']}\\"' }, 'x', [1, [2]], -1500, null, {}, true],
  ],
  [
    'gzip of two members',
    { type: 'GzipDecoder', decoder: { type: 'JsonlDecoder' } },
    Buffer.concat([gzipSync('{"id":1}\n{"i'), gzipSync('d":2}\n')]),
    [{ id: 1 }, { id: 2 }],
  ],
]

describe('a body gives the same in pieces of any size', () => {
  for (const [what, fields, body, expected] of BODIES) {
    it(what, async () => {
      const plain = (values: unknown[]) => JSON.parse(JSON.stringify(values))
      for (const size of [1, 2, 3, 5, 7, 11, 1000]) {
        expect(plain(await decoded(fields, body, size)), `${size}`).toEqual(expected)
      }
    })
  }
})

describe('a body that is not what it should be', () => {
  const items = { type: 'JsonItemsDecoder', items_path: 'data' }
  const cases: [string, string][] = [
    ['ends too early', '{"data":[{"id":1},'],
    ['ends within an item', '{"data":[{"id":1}'],
    ['is empty', ''],
    ['goes on after its end', '{"data":[]} {'],
    ['closes what is not open', '{"data":[1}'],
    ['has no JSON', 'service unavailable'],
    ['has a key without quotes', '{data:[]}'],
    ['has an item that is no JSON', '{"data":[{id:1}]}'],
  ]
  for (const [what, body] of cases) {
    it(`is an error: a document that ${what}`, async () => {
      await expect(decoded(items, body, 4)).rejects.toMatchObject({ code: 'UPSTREAM_ERROR' })
    })
  }

  it('is an error when gzip is cut, wherever', async () => {
    const packed = gzipSync('{"id":1}\n'.repeat(50))
    const gzip = { type: 'GzipDecoder', decoder: { type: 'JsonlDecoder' } }
    for (const length of [3, 12, packed.length - 1]) {
      await expect(decoded(gzip, packed.subarray(0, length), 8)).rejects.toMatchObject({
        code: 'UPSTREAM_ERROR',
        message: 'The compressed answer is cut or damaged.',
      })
    }
  })

  it('says so when the connection breaks off within gzip', async () => {
    const packed = gzipSync(Buffer.from(Array.from({ length: 5000 }, () => Math.random() * 256)))
    async function* broken() {
      yield packed.subarray(0, 1000)
      throw new Error('the connection broke')
    }
    const answer = new Answer('https://api.test/', 200, new Headers(), new Uint8Array(0), broken())
    const decoder = new Component({ type: 'GzipDecoder', decoder: { type: 'CsvDecoder' } }, '')
    const reading = (async () => {
      for await (const _ of buildDecoder(decoder, env).decode(answer));
    })()
    await expect(reading).rejects.toThrow('the connection broke')
  })

  it('is refused with an encoding or a delimiter that does not exist', async () => {
    await expect(decoded({ type: 'CsvDecoder', encoding: 'utf-99' }, 'a', 1)).rejects.toMatchObject(
      {
        code: 'UNSUPPORTED',
      },
    )
    expect(() =>
      buildDecoder(new Component({ type: 'CsvDecoder', delimiter: '||' }, 'decoder'), env),
    ).toThrow('one character')
  })
})

it('a quoted cell of megabytes is read once, not once for each piece', async () => {
  const cell = 'x'.repeat(32_000_000)
  const [row] = (await decoded({ type: 'CsvDecoder' }, `id,a\n1,"${cell}"\n`, 1024)) as [
    { a: string },
  ]
  expect(row.a).toHaveLength(cell.length)
})
