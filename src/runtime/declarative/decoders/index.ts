import { AirbyteError } from '../../../protocol/index.ts'
import { type Builders, build, type Component } from '../component.ts'
import type { Environment } from '../environment.ts'
import type { Value } from '../python/values.ts'
import type { Answer } from '../requester/answer.ts'
import { parseJson } from '../requester/json-body.ts'
import { csvRows } from './csv.ts'
import { gunzip } from './gzip.ts'
import { xmlToValue } from './xml.ts'
import { unzip } from './zip.ts'

/** The bodies that a response holds; most hold one. */
export type Decoder = (answer: Answer) => Iterable<Value> | Promise<Iterable<Value>>
/** The same for bytes that have left their response. */
type Parser = (bytes: Uint8Array) => Iterable<Value> | Promise<Iterable<Value>>

/** Nothing usable is one empty body, so that what follows sees an object. */
const EMPTY: Value[] = [{}]

/** @throws UPSTREAM_ERROR for a web page: taken for an empty answer it would lose what is behind it */
function decodeJson(answer: Answer, env: Environment): Value[] {
  const { json } = answer
  if (Array.isArray(json)) return json.length > 0 ? json : EMPTY
  if (json !== undefined && json !== null) return [json]
  if (json === undefined && answer.ok && /^\s*</.test(answer.text)) {
    throw new AirbyteError(
      'UPSTREAM_ERROR',
      `${env.stream}: ${new URL(answer.url).host} answered with a web page instead of JSON.`,
      { stream: env.stream },
    )
  }
  if (answer.bytes.length > 0 && json === undefined) {
    env.ctx.log('warn', `${env.stream}: an answer is not JSON and counts as empty.`)
  }
  return EMPTY
}

export function buildDecoder(component: Component | undefined, env: Environment): Decoder {
  if (!component || component.type === 'JsonDecoder') return (answer) => decodeJson(answer, env)
  const parse = build(PARSERS, component, env)
  return (answer) => parse(answer.bytes)
}

const textOf = (bytes: Uint8Array, encoding = 'utf-8') => {
  try {
    return new TextDecoder(encoding).decode(bytes)
  } catch (cause) {
    throw new AirbyteError('UNSUPPORTED', `The encoding '${encoding}' is not known.`, { cause })
  }
}

const PARSERS: Builders<Parser, Environment> = {
  JsonDecoder: () => (bytes) => {
    const value = tryJson(textOf(bytes))
    if (Array.isArray(value)) return value
    return value === undefined ? EMPTY : [value]
  },

  JsonlDecoder: (component, env) => (bytes) =>
    lines(textOf(bytes)).flatMap((line) => {
      const value = tryJson(line)
      if (value === undefined) {
        env.ctx.log('warn', `${env.stream}: a line of ${component.path} is not JSON; skipped.`)
        return []
      }
      return [value]
    }),

  JsonItemsDecoder(component) {
    const path = (component.optionalText('items_path') ?? '').split('.').filter(Boolean)
    return (bytes) => {
      let node = tryJson(textOf(bytes))
      for (const name of path) {
        node = typeof node === 'object' && node !== null ? (node as never)[name] : undefined
      }
      return Array.isArray(node) ? node : []
    }
  },

  IterableDecoder: () => (bytes) => lines(textOf(bytes)).map((record) => ({ record })),

  CsvDecoder(component) {
    const encoding = component.optionalText('encoding') ?? 'utf-8'
    const delimiter = readEscapes(component.optionalText('delimiter') ?? ',')
    const nulls = new Set(component.list('set_values_to_none').map(String))
    return (bytes) => csvRows(textOf(bytes, encoding), delimiter, nulls)
  },

  XmlDecoder: () => (bytes) => [xmlToValue(textOf(bytes))],

  GzipDecoder(component, env) {
    const inner = build(PARSERS, component.child('decoder'), env)
    return async (bytes) => inner(await gunzip(bytes))
  },

  ZipfileDecoder(component, env) {
    const inner = build(PARSERS, component.child('decoder'), env)
    return async (bytes) => {
      const parsed: Value[] = []
      for await (const file of unzip(bytes))
        for (const value of await inner(file)) parsed.push(value)
      return parsed
    }
  },
}

const readEscapes = (text: string) =>
  text.replace(/\\([tnr])/g, (_, code: string) => ({ t: '\t', n: '\n', r: '\r' })[code] as string)

function lines(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== '')
}

function tryJson(text: string): Value | undefined {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}
