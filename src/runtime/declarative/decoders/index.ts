import { AirbyteError } from '../../../protocol/index.ts'
import { type Builders, build, type Component } from '../component.ts'
import { collected, customPart } from '../custom/part.ts'
import type { Environment } from '../environment.ts'
import type { Value } from '../python/values.ts'
import type { Answer } from '../requester/answer.ts'
import { parseJson } from '../requester/json-body.ts'
import { csvParser } from './csv.ts'
import { gunzip } from './gzip.ts'
import { JsonItems } from './json-items.ts'
import { type Chunks, decodeText, linesOf, textOf, universalNewlines } from './text.ts'
import { xmlToValue } from './xml.ts'
import { unzip } from './zip.ts'

/** Finds the bodies that a response holds; most hold one. */
export interface Decoder {
  /** Bodies are handed on while the response still comes in, so that it need not fit into memory. */
  streams: boolean
  /** In batches, each of what came together. */
  decode(answer: Answer): Iterable<Value[]> | AsyncIterable<Value[]>
}

/** The same for bytes that have left their response. */
type Parser = (chunks: Chunks) => AsyncIterable<Value[]>

/** Nothing usable is one empty body, so that what follows sees an object. */
const EMPTY: Value[] = [{}]

const STREAMING = new Set([
  'CsvDecoder',
  'GzipDecoder',
  'IterableDecoder',
  'JsonItemsDecoder',
  'JsonlDecoder',
])

export function buildDecoder(component: Component | undefined, env: Environment): Decoder {
  if (!component || component.type === 'JsonDecoder') {
    return { streams: false, decode: (answer) => [decodeJson(answer, env)] }
  }
  if (component.type === 'CustomDecoder') {
    const bodiesIn = customPart('decoder', component, env.custom, { env })
    return {
      streams: false,
      async *decode(answer) {
        yield await collected(bodiesIn(answer))
      },
    }
  }
  const parse = build(PARSERS, component, env)
  return {
    streams: STREAMING.has(component.type),
    decode: (answer) => parse(answer.chunks()),
  }
}

/** @throws UPSTREAM_ERROR for a web page: taken for an empty answer it would lose what is behind it */
function decodeJson(answer: Answer, env: Environment): Value[] {
  const { json } = answer
  if (Array.isArray(json)) return json.length > 0 ? json : EMPTY
  if (json !== undefined && json !== null) return [json]
  if (json === undefined && answer.ok && /^\s*</.test(answer.text)) {
    throw notJson(env, `${new URL(answer.url).host} answered with a web page instead of JSON.`)
  }
  if (answer.bytes.length > 0 && json === undefined) {
    env.ctx.log('warn', `${env.stream}: an answer is not JSON and counts as empty.`)
  }
  return EMPTY
}

const PARSERS: Builders<Parser, Environment> = {
  /** Behind another decoder, where nothing usable is an error. */
  JsonDecoder: (component, env) =>
    async function* (chunks) {
      const value = tryJson(await textOf(chunks))
      if (value === undefined || value === null) {
        throw notJson(env, `what ${component.path} unpacked is not JSON.`)
      }
      yield Array.isArray(value) ? value : [value]
    },

  JsonlDecoder: (component, env) =>
    async function* (chunks) {
      for await (const lines of linesOf(decodeText(chunks, 'utf-8-sig'))) {
        yield lines.flatMap((line) => {
          const value = tryJson(line)
          if (value !== undefined) return [value]
          env.ctx.log('warn', `${env.stream}: a line of ${component.path} is not JSON; skipped.`)
          return []
        })
      }
    },

  JsonItemsDecoder(component, env) {
    const path = component.text('items_path')
    if (path === '') throw component.refuse('The path to the items is empty.', 'items_path')
    const encoding = component.optionalText('encoding') ?? 'utf-8'
    return async function* (chunks) {
      const items = new JsonItems(path)
      try {
        for await (const text of decodeText(chunks, encoding)) yield items.push(text)
        items.end()
      } catch (cause) {
        if (!(cause instanceof SyntaxError)) throw cause
        throw notJson(env, `an answer is not whole JSON: ${cause.message}.`)
      }
    }
  },

  IterableDecoder: () =>
    async function* (chunks) {
      for await (const lines of linesOf(universalNewlines(decodeText(chunks)))) {
        yield lines.map((record) => ({ record }))
      }
    },

  CsvDecoder: csvParser,

  XmlDecoder: () =>
    async function* (chunks) {
      yield [xmlToValue(await textOf(chunks))]
    },

  GzipDecoder(component, env) {
    const inner = build(PARSERS, component.child('decoder'), env)
    return (chunks) => inner(gunzip(chunks))
  },

  ZipfileDecoder(component, env) {
    const inner = build(PARSERS, component.child('decoder'), env)
    return async function* (chunks) {
      const parts: Uint8Array[] = []
      for await (const chunk of chunks) parts.push(chunk)
      for (const file of unzip(Buffer.concat(parts))) yield* inner(file)
    }
  },
}

const notJson = ({ stream }: Environment, what: string) =>
  new AirbyteError('UPSTREAM_ERROR', `${stream}: ${what}`, { stream })

function tryJson(text: string): Value | undefined {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}
